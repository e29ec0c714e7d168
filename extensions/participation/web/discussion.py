"""What people do at a data set: follow, rate, comment, ask; the provider answers."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext

from extensions.participation.models.comment import EntryRating, get_comment, mean_rating
from extensions.participation.permissions import ParticipationPermission
from extensions.participation.services.comments import (
    answer_question,
    list_comments,
    rate_entry,
    write_comment,
)
from extensions.participation.services.follows import follow_entry, list_follows, unfollow_entry
from extensions.participation.services.moderation import author_name
from extensions.participation.services.topic_follows import list_topics, topic_name, topic_page
from extensions.participation.web.forms import Problem, attempt, public_entry, readable, typed
from portal.models.entry import CatalogueEntry, get_entry
from portal.permissions import Permission, is_allowed, is_bureau
from portal.web.access import public, signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.paging import Paging, page_number
from portal.web.work.blueprint import ID
from portal.web.work.decisions import form_key, form_text, fresh_key

blueprint = Blueprint("participation_discussion", __name__)
PAGE = 20


@blueprint.get("/follows")
@signed_in
def follows() -> Any:
    return follows_page(None)


def follows_page(problem: Problem | None) -> str:
    reader = actor().account_id or 0
    found = list_follows(session(), reader)
    return render_template(
        "participation/follows.html",
        rows=[f for f in found if f.entry.published_version is not None],
        topics=[
            (
                one,
                topic_name(session(), one.kind, one.key),
                topic_page(session(), one.kind, one.key),
            )
            for one in list_topics(session(), reader)
        ],
        problem=problem,
    )


@blueprint.post("/dataset/<key>/follow")
@writes
def follow(key: str) -> Any:
    entry = public_entry(key)
    return attempt(
        lambda: follow_entry(session(), clock(), actor(), entry),
        lambda problem: _page(entry, problem),
        done=gettext("已关注，发布、撤下和更新数据时会通知您。"),
        target=f"/dataset/{entry.slug}#participation",
    )


@blueprint.post("/dataset/<key>/unfollow")
@writes
def unfollow(key: str) -> Any:
    entry = get_entry(session(), key)
    back = typed("back") == "follows" or not is_allowed(actor(), Permission.ENTRY_READ, entry)
    return attempt(
        lambda: unfollow_entry(session(), actor(), entry),
        lambda problem: _page(entry, problem),
        done=gettext("已取消关注。"),
        target="/follows" if back else f"/dataset/{entry.slug}#participation",
    )


@blueprint.get("/dataset/<key>/discussion")
@public
def discussion(key: str) -> Any:
    return _page(public_entry(key), None)


@blueprint.post("/dataset/<key>/comments")
@writes
def comment(key: str) -> Any:
    entry = public_entry(key)
    return attempt(
        lambda: write_comment(
            session(), clock(), actor(), entry, typed("kind"), typed("text"), form_key=form_key()
        ),
        lambda problem: _page(entry, problem),
        done=gettext("已提交。首次发言审核后公开，之后即时显示。"),
        target=f"/dataset/{entry.slug}/discussion",
    )


@blueprint.post("/dataset/<key>/rating")
@writes
def rating(key: str) -> Any:
    entry = public_entry(key)
    stars = typed("stars")
    given = int(stars) if stars in {"1", "2", "3", "4", "5"} else 0
    return attempt(
        lambda: rate_entry(session(), clock(), actor(), entry, given),
        lambda problem: _page(entry, problem),
        done=gettext("已评分，谢谢。"),
        target=f"/dataset/{entry.slug}/discussion",
    )


@blueprint.post(f"/comments/<{ID}:comment_id>/answer")
@writes
def answer(comment_id: int) -> Any:
    found = readable(get_comment(session(), comment_id))
    return attempt(
        lambda: answer_question(session(), clock(), actor(), found, form_text("answer")),
        lambda problem: _page(found.entry, problem),
        done=gettext("已答复，并告知提问人。"),
        target=f"/dataset/{found.entry.slug}/discussion#c{found.id}",
    )


def _page(entry: CatalogueEntry, problem: Problem | None) -> Any:
    number = page_number(request.args)
    rows, total = list_comments(session(), entry.id, actor(), limit=PAGE, start=(number - 1) * PAGE)
    own = None
    if actor().account_id is not None:
        own = session().get(EntryRating, (entry.id, actor().account_id))
    mean, ratings = mean_rating(session(), entry.id)
    answers = ParticipationPermission.QUESTION_ANSWER
    return render_template(
        "participation/discussion.html",
        entry=entry,
        version=entry.published_version,
        rows=[(row, author_name(row.author), is_allowed(actor(), answers, row)) for row in rows],
        mean=mean,
        ratings=ratings,
        own=own.stars if own is not None else 0,
        may_rate=entry.provider_id not in actor().organisation_ids,
        may_review=is_bureau(actor(), None),
        total=total,
        paging=Paging(number, PAGE, total, f"/dataset/{entry.slug}/discussion"),
        given=request.form,
        problem=problem,
        key=fresh_key(),
    )
