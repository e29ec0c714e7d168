"""Following an organisation or a theme by the buttons of a data set's page and of 我的关注."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask_babel import gettext

from extensions.participation.models.topic_follow import ORGANISATION, THEME
from extensions.participation.services.topic_follows import (
    follow_topic,
    topic_key,
    unfollow_topic,
)
from extensions.participation.web.discussion import follows_page
from extensions.participation.web.forms import attempt
from portal.errors import NotFound
from portal.web.access import writes
from portal.web.context import actor, clock, session
from portal.web.work.decisions import Problem

blueprint = Blueprint("participation_topics", __name__)
KINDS = {"organisation": ORGANISATION, "theme": THEME}


@blueprint.post("/topics/<kind>/<key>/follow")
@writes
def follow(kind: str, key: str) -> Any:
    kind, found = _topic(kind, key)
    return attempt(
        lambda: follow_topic(session(), clock(), actor(), kind, found),
        _refused,
        done=gettext("已关注，其数据发布、撤下和更新时会通知您。"),
        target="/follows",
    )


@blueprint.post("/topics/<kind>/<key>/unfollow")
@writes
def unfollow(kind: str, key: str) -> Any:
    kind, found = _topic(kind, key)
    return attempt(
        lambda: unfollow_topic(session(), actor(), kind, found),
        _refused,
        done=gettext("已取消关注。"),
        target="/follows",
    )


def _topic(kind: str, key: str) -> tuple[str, str]:
    """Raises: NotFound."""
    if kind not in KINDS:
        raise NotFound()
    return KINDS[kind], topic_key(session(), KINDS[kind], key)


def _refused(problem: Problem | None) -> Any:
    """Show what is followed with the refusal above: there is nothing typed to keep."""
    return follows_page(problem)
