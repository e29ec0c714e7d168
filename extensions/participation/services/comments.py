"""Comments, questions with answers, and ratings of a data set."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from extensions.participation.models.comment import (
    COMMENT,
    QUESTION,
    EntryComment,
    EntryRating,
)
from extensions.participation.models.moderated import SHOWN
from extensions.participation.permissions import ParticipationPermission
from extensions.participation.rules import STARS, comment_defects
from extensions.participation.services.moderation import (
    REVIEW_FLOW,
    first_review,
    limit_rate,
    link_of,
    title_of,
)
from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Forbidden, Invalid, Unauthenticated
from portal.models.entry import CatalogueEntry
from portal.permissions import require
from portal.services import audit, notices


def write_comment(
    session: Session,
    clock: Clock,
    actor: Actor,
    entry: CatalogueEntry,
    kind: str,
    text: str,
    *,
    form_key: str | None = None,
) -> EntryComment:
    """Comment on or ask about a public data set; the same form again gives the first one.

    Raises:
        Invalid: no text, or an unknown kind. TooManyRequests: too many today.
    """
    if actor.account_id is None:
        raise Unauthenticated()
    if not entry.is_public:
        raise Forbidden()
    if form_key is not None:
        query = select(EntryComment).where(EntryComment.form_key == form_key)
        if (earlier := session.scalars(query).first()) is not None:
            return earlier
    if kind not in (COMMENT, QUESTION):
        raise Invalid.one("kind", "unknown", "请选择评论或提问。")
    defects = comment_defects(text)
    if defects:
        raise Invalid(defects)
    limit_rate(session, clock, actor, "comment")
    comment = EntryComment(
        entry_id=entry.id,
        kind=kind,
        text=text,
        author_id=actor.account_id,
        form_key=form_key,
        filed_at=clock(),
    )
    first_review(session, clock, actor, comment)
    session.add(comment)
    session.flush()
    return comment


def answer_question(
    session: Session, clock: Clock, actor: Actor, comment: EntryComment, answer: str
) -> None:
    """Let the provider answer what was asked or said; who wrote it is told.

    Raises:
        Forbidden: not the provider, or the comment is not shown. Invalid: no answer.
    """
    require(actor, ParticipationPermission.QUESTION_ANSWER, comment)
    defects = comment_defects(answer)
    if defects:
        raise Invalid([*defects], "请填写答复。")
    if comment.answer == answer:
        return  # the same click again
    comment.answer, comment.answered_at = answer, clock()
    comment.answered_by = actor.account_id
    event = audit.record(
        session,
        clock,
        actor,
        flow=REVIEW_FLOW,
        event="answer",
        subject_id=comment.id,
        entry_id=comment.entry_id,
        reason=answer,
    )
    text = f"数据提供单位答复了您的提问“{title_of(comment)}”"
    notices.tell(session, clock, {comment.author_id}, event, text, link_of(comment))


def rate_entry(
    session: Session, clock: Clock, actor: Actor, entry: CatalogueEntry, stars: int
) -> None:
    """Keep the account's stars; rating again changes them.

    Raises:
        Forbidden: members of the provider do not rate their own data. Invalid: not 1 to 5.
    """
    if actor.account_id is None:
        raise Unauthenticated()
    if not entry.is_public or entry.provider_id in actor.organisation_ids:
        raise Forbidden("提供单位的人员不能给本单位的数据评分。")
    if stars not in STARS:
        raise Invalid.one("stars", "out_of_range", "请选择1至5星。")
    limit_rate(session, clock, actor, "rating")
    found = session.get(EntryRating, (entry.id, actor.account_id))
    if found is None:
        found = EntryRating(entry_id=entry.id, account_id=actor.account_id)
        session.add(found)
    found.stars, found.rated_at = stars, clock()
    session.flush()


def list_comments(
    session: Session, entry_id: int, reader: Actor, *, limit: int, start: int = 0
) -> tuple[Sequence[EntryComment], int]:
    """Return (a page of what is shown and of the reader's own, the newest first; how many)."""
    visible = EntryComment.review == SHOWN
    if reader.account_id is not None:
        visible = or_(visible, EntryComment.author_id == reader.account_id)
    query = select(EntryComment).where(EntryComment.entry_id == entry_id, visible)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = query.order_by(EntryComment.id.desc()).limit(limit).offset(start)
    return session.scalars(page).all(), total
