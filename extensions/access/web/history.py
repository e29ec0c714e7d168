"""The audit events of one application, in words."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.access.flow import FLOW
from portal.models.audit import AuditEvent
from portal.services.timeline import TimelineEvent, in_words

MAX_EVENTS = 200


def history_of(session: Session, application_id: int) -> list[TimelineEvent]:
    """Return what happened, newest first."""
    query = (
        select(AuditEvent)
        .where(
            AuditEvent.flow == FLOW,
            AuditEvent.subject_id == application_id,
            AuditEvent.event != "remind",
        )
        .order_by(AuditEvent.id.desc())
        .limit(MAX_EVENTS)
    )
    return [in_words(event) for event in session.scalars(query)]
