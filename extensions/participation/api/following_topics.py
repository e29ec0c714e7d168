"""Following organisations and themes (CKAN's groups), as CKAN's Action API names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from extensions.participation.models.topic_follow import (
    ORGANISATION,
    THEME,
    count_topic_followers,
    find_topic_follow,
)
from extensions.participation.services.topic_follows import (
    follow_topic,
    list_topics,
    topic_key,
    topic_name,
    unfollow_topic,
)
from portal.api.action import Action, Call
from portal.api.inputs import ById
from portal.errors import Invalid, NotFound
from portal.models.organisation import find_organisation
from portal.web.access import Access

NAMES = {ORGANISATION: "单位", THEME: "主题"}


def _follow(call: Call, kind: str, given: ById) -> dict[str, Any]:
    key = topic_key(call.session, kind, given.id)
    if find_topic_follow(call.session, call.actor.account_id, kind, key) is not None:
        raise Invalid.one("id", "following", "您已经关注了这个{kind}。", kind=NAMES[kind])
    found = follow_topic(call.session, call.platform.clock, call.actor, kind, key)
    return {
        "follower_id": found.account_id,
        "object_id": key,
        "datetime": found.followed_at.isoformat(),
    }


def _unfollow(call: Call, kind: str, given: ById) -> None:
    key = topic_key(call.session, kind, given.id)
    if not unfollow_topic(call.session, call.actor, kind, key):
        raise NotFound("您没有关注这个{kind}。", kind=NAMES[kind])


def follow_organization(call: Call, given: ById) -> dict[str, Any]:
    """Follow an organisation: its publications, withdrawals and new data are told. id: or name."""
    return _follow(call, ORGANISATION, given)


def unfollow_organization(call: Call, given: ById) -> None:
    """Stop following an organisation."""
    _unfollow(call, ORGANISATION, given)


def follow_group(call: Call, given: ById) -> dict[str, Any]:
    """Follow a theme: publications, withdrawals and new data under it are told."""
    return _follow(call, THEME, given)


def unfollow_group(call: Call, given: ById) -> None:
    """Stop following a theme."""
    _unfollow(call, THEME, given)


def am_following_organization(call: Call, given: ById) -> bool:
    """Say whether the caller follows an organisation."""
    return _is_following(call, ORGANISATION, given)


def am_following_group(call: Call, given: ById) -> bool:
    """Say whether the caller follows a theme."""
    return _is_following(call, THEME, given)


def _is_following(call: Call, kind: str, given: ById) -> bool:
    key = topic_key(call.session, kind, given.id)
    return find_topic_follow(call.session, call.actor.account_id, kind, key) is not None


def organization_follower_count(call: Call, given: ById) -> int:
    """Return how many accounts follow an organisation."""
    return count_topic_followers(
        call.session, ORGANISATION, topic_key(call.session, ORGANISATION, given.id)
    )


def group_follower_count(call: Call, given: ById) -> int:
    """Return how many accounts follow a theme."""
    return count_topic_followers(call.session, THEME, topic_key(call.session, THEME, given.id))


def followed_topics(call: Call, words: str) -> list[dict[str, Any]]:
    """Return the organisations and themes that the caller follows, as `followee_list` has them."""
    found = []
    for one in list_topics(call.session, call.actor.account_id or 0):
        name = topic_name(call.session, one.kind, one.key)
        place = find_organisation(call.session, one.key) if one.kind == ORGANISATION else None
        slug = place.slug if place else one.key
        if words in name.casefold():
            shown = {"id": one.key, "name": slug, "title": name}
            found.append({"type": one.kind, "display_name": name, "dict": shown})
    return found


def organization_followee_list(call: Call, given: Any) -> list[dict[str, Any]]:
    """Return the organisations that the caller follows."""
    return _followed(call, given, ORGANISATION)


def group_followee_list(call: Call, given: Any) -> list[dict[str, Any]]:
    """Return the themes that the caller follows."""
    return _followed(call, given, THEME)


def _followed(call: Call, _given: Any, kind: str) -> list[dict[str, Any]]:
    return [one["dict"] for one in followed_topics(call, "") if one["type"] == kind]


def _actions(access: Access, *handlers: Callable[..., Any]) -> tuple[Action, ...]:
    return tuple(Action(one.__name__, access, one, ById) for one in handlers)


TOPIC_ACTIONS = (
    *_actions(
        Access.WRITE, follow_organization, unfollow_organization, follow_group, unfollow_group
    ),
    *_actions(Access.READ, am_following_organization, am_following_group),
    *_actions(Access.PUBLIC, organization_follower_count, group_follower_count),
    Action("organization_followee_list", Access.READ, organization_followee_list),
    Action("group_followee_list", Access.READ, group_followee_list),
)
