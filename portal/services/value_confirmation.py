"""The Bureau's words on an entry's value: close to people's livelihood, high-value tag (art. 29)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Conflict, Invalid
from portal.models.entry import CatalogueEntry
from portal.permissions import Permission, require
from portal.services import audit
from portal.services.index_requests import request_index
from portal.services.value import recompute_value

FLOW = "value"


def confirm_value(
    session: Session,
    clock: Clock,
    actor: Actor,
    entry: CatalogueEntry,
    *,
    livelihood: bool,
    high_value: bool,
    reason: str,
    seen: tuple[bool, bool] | None = None,
) -> bool:
    """Set both marks of a published entry, with the reason; True if something changed.

    Args:
        seen: the marks (livelihood, high value) that the actor decided on.

    Raises:
        Forbidden: not the Bureau. Invalid: no reason, or the entry is not published.
        Conflict: somebody else set the marks meanwhile.
    """
    require(actor, Permission.VALUE_CONFIRM, entry)
    if not entry.is_public:
        raise Invalid.one("entry", "unpublished", "目录发布后才能确认价值。")
    before = (entry.livelihood_confirmed, entry.hvd_tagged)
    if before == (livelihood, high_value):
        return False
    if seen is not None and seen != before:
        raise Conflict()
    if not reason.strip():
        raise Invalid.one("reason", "missing", "请写明确认或取消的理由。")
    entry.livelihood_confirmed, entry.hvd_tagged = livelihood, high_value
    audit.record(
        session,
        clock,
        actor,
        flow=FLOW,
        event="confirm",
        subject_id=entry.id,
        entry_id=entry.id,
        reason=reason.strip(),
        details={"livelihood": livelihood, "high_value": high_value},
    )
    session.flush()
    recompute_value(session, clock, entry)
    request_index(session, clock, entry)
    return True
