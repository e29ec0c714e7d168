"""What happened to one application, in words, and what still runs."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.access.flow import FLOW
from portal.clock import Clock
from portal.models.audit import AuditEvent
from portal.services.clockface import Clockface, clockface
from portal.services.deadlines import list_open_deadlines
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


def clocks_of(session: Session, clock: Clock, application_id: int) -> list[Clockface]:
    """Return the deadlines that run, for both sides; also the one by which to sign."""
    found = {
        deadline.due_on: clockface(session, clock, deadline.due_on, deadline.provisional)
        for deadline in list_open_deadlines(session, FLOW, application_id)
    }
    return [found[day] for day in sorted(found)]
