"""Whose texts are shown at once, which wait, and what the Bureau decides about them.

Reputation: the first text of an account waits for the Bureau; once one of its texts was approved,
later ones are shown at once, until one is hidden. Officials' texts are shown at once. The limits a
day hold for everybody. Nothing here asks a foreign service.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.participation.flow import FLOW
from extensions.participation.models.comment import QUESTION, EntryComment
from extensions.participation.models.demand import DataDemand
from extensions.participation.models.moderated import HIDDEN, SHOWN, WAITING
from extensions.participation.models.reuse import Reuse
from extensions.participation.permissions import ParticipationPermission
from extensions.participation.rules import A_DAY
from extensions.participation.services.value_signals import value_changed
from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Conflict, Invalid, TooManyRequests
from portal.models.account import Account
from portal.permissions import require
from portal.services import audit, notices
from portal.services.deadlines import close_deadlines
from portal.services.rates import count_hit

Text = DataDemand | Reuse | EntryComment
KINDS: dict[str, type[DataDemand] | type[Reuse] | type[EntryComment]] = {
    "demand": DataDemand,
    "reuse": Reuse,
    "comment": EntryComment,
}
REVIEW_FLOW = "participation_review"
DAY_SECONDS, JILIN_OFFSET = 86_400, 28_800
FORGIVEN_AFTER_DAYS = 90
QUEUE_LIMIT = 200


def kind_of(text: Text) -> str:
    return next(kind for kind, model in KINDS.items() if isinstance(text, model))


def kind_name(text: Text) -> str:
    """Return the Chinese name of what the text is."""
    if isinstance(text, EntryComment):
        return "提问" if text.kind == QUESTION else "评论"
    return "数据需求" if isinstance(text, DataDemand) else "应用成果"


def title_of(text: Text) -> str:
    return text.text[:60] if isinstance(text, EntryComment) else text.title


def link_of(text: Text) -> str:
    if isinstance(text, EntryComment):
        return f"/dataset/{text.entry.slug}/discussion"
    return f"/demands/{text.id}" if isinstance(text, DataDemand) else f"/reuses/{text.id}"


def limit_rate(session: Session, clock: Clock, actor: Actor, what: str) -> None:
    """Count one use by the account. Raises: TooManyRequests beyond the limit of the day."""
    state = count_hit(
        session,
        clock(),
        f"participation:{what}:{actor.account_id}",
        limit=A_DAY[what],
        window_seconds=DAY_SECONDS,
        offset_seconds=JILIN_OFFSET,
    )
    if not state.allowed:
        raise TooManyRequests(retry_after_seconds=state.reset_seconds)


def is_trusted(session: Session, clock: Clock, actor: Actor) -> bool:
    """Say whether the account's texts are shown at once."""
    if actor.organisation_ids:
        return True
    since = clock() - timedelta(days=FORGIVEN_AFTER_DAYS)
    approved = False
    for model in KINDS.values():
        own = (model.author_id == actor.account_id, model.reviewed_by.is_not(None))
        if session.scalar(
            select(model.id).where(*own, model.review == HIDDEN, model.reviewed_at >= since)
        ):
            return False
        approved = approved or bool(
            session.scalar(select(model.id).where(*own, model.review == SHOWN).limit(1))
        )
    return approved


def first_review(session: Session, clock: Clock, actor: Actor, text: Text) -> None:
    """Decide whether a new text is shown at once; items of the gallery always wait."""
    trusted = not isinstance(text, Reuse) and is_trusted(session, clock, actor)
    text.review = SHOWN if trusted else WAITING


def waiting_texts(session: Session) -> Sequence[Text]:
    """Return what waits for the Bureau, the oldest first."""
    found: list[Text] = []
    for model in KINDS.values():
        query = select(model).where(model.review == WAITING).order_by(model.id).limit(QUEUE_LIMIT)
        found += cast(Sequence[Text], session.scalars(query).all())
    return sorted(found, key=lambda text: (text.filed_at is None, text.filed_at))


def review(
    session: Session,
    clock: Clock,
    actor: Actor,
    text: Text,
    decision: str,
    *,
    reason: str = "",
    seen: str | None = None,
) -> None:
    """Show or hide a text; its author is told.

    Args:
        seen: the review's state that the Bureau decided on.

    Raises:
        Forbidden: not the Bureau. Invalid: hiding needs a reason. Conflict: decided meanwhile.
    """
    require(actor, ParticipationPermission.TEXT_REVIEW, text)
    if decision not in (SHOWN, HIDDEN):
        raise Invalid.one("decision", "unknown", "请选择公开或不公开。")
    if decision == HIDDEN and not reason:
        raise Invalid.one("reason", "missing", "不公开的，请写明理由，理由会告知作者。")
    if seen is not None and seen != text.review:
        raise Conflict()
    if actor.stands_for(text.author_id):
        raise Invalid.one("", "own", "不能审核自己提交的内容。")
    before, text.review = text.review, decision
    text.reviewed_by, text.reviewed_at, text.review_reason = actor.account_id, clock(), reason
    event = audit.record(
        session,
        clock,
        actor,
        flow=REVIEW_FLOW,
        event="show" if decision == SHOWN else "hide",
        subject_id=text.id,
        entry_id=text.entry_id if isinstance(text, EntryComment | DataDemand) else None,
        reason=reason,
        details={"kind": kind_of(text), "before": before},
    )
    words = "已公开" if decision == SHOWN else f"没有公开。理由：{reason}"
    told = f"您的{kind_name(text)}“{title_of(text)}”{words}"
    notices.tell(session, clock, {text.author_id}, event, told, link_of(text))
    _follow_up(session, clock, text, decision)


def _follow_up(session: Session, clock: Clock, text: Text, decision: str) -> None:
    """A hidden demand binds nobody; what counts for value is counted again."""
    if isinstance(text, DataDemand):
        if decision == HIDDEN and text.state == "open":
            close_deadlines(session, clock, flow=FLOW, subject_id=text.id, event="hide")
        value_changed(session, clock, [text.entry])
    if isinstance(text, Reuse):
        value_changed(session, clock, [source.entry for source in text.sources])


def author_name(account: Account) -> str:
    """Return how an author is shown: an organisation by its name, a person by one character."""
    name = account.applicant_name or account.display_name
    if account.applicant_kind == "legal_person" or not account.applicant_kind:
        return name
    return f"{name[:1]}**"
