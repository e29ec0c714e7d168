"""What happens to applications by time alone: lapse, expiry, reminders of the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.access.flow import BINDING, FLOW
from extensions.access.models.application import LIVE, AccessApplication
from extensions.access.rules import REMINDERS_WORKING_DAYS
from extensions.access.services.applications import ApplicationService
from extensions.access.services.odd_use import look_at
from extensions.access.services.usage import forget_calls
from portal.actor import SYSTEM
from portal.clock import Clock, local_date
from portal.errors import Conflict, GuardRefused, IllegalEvent
from portal.models.audit import AuditEvent
from portal.models.duty import Deadline
from portal.services import audit, notices
from portal.services.deadlines import working_days_left

if TYPE_CHECKING:
    from portal.platform import Platform

LAPSING = ("correction_needed", "approved")


def run_timers(platform: Platform, _payload: dict[str, Any]) -> None:
    """Fire every timer whose time has come, an application a transaction."""
    with platform.database.reading() as session:
        due = list_due(session, platform.clock)
    with platform.database.writing() as session:
        forget_calls(session, platform.clock())
    for application_id in due:
        with platform.database.writing() as session:
            application = session.get(AccessApplication, application_id)
            if application is not None:
                tick(session, platform.clock, application)


def list_due(session: Session, clock: Clock) -> list[int]:
    """Return the applications that a timer may concern today."""
    today = local_date(clock())
    lapsing = (
        select(AccessApplication.id)
        .join(
            Deadline,
            (Deadline.flow == FLOW)
            & (Deadline.subject_id == AccessApplication.id)
            & Deadline.closed_at.is_(None),
        )
        .where(AccessApplication.state.in_(LAPSING), Deadline.due_on < today)
    )
    live = select(AccessApplication.id).where(AccessApplication.state.in_(LIVE))
    return sorted({*session.scalars(lapsing), *session.scalars(live)})


def tick(session: Session, clock: Clock, application: AccessApplication) -> None:
    """Let time act on one application; running it again changes nothing."""
    service = ApplicationService(session, clock)
    try:
        if application.state in LAPSING:
            service.lapse(application)
        elif application.valid_until is not None:
            if application.valid_until < local_date(clock()):
                service.expire(application)
            elif application.state == "active":
                _remind(session, clock, application)
                look_at(session, clock, application)
    except (GuardRefused, IllegalEvent, Conflict):
        return  # somebody acted first; the next run looks again


def _remind(session: Session, clock: Clock, application: AccessApplication) -> None:
    """Tell the applicant once at ten and once at three working days before the end."""
    assert application.valid_until is not None
    left = working_days_left(session, application.valid_until, clock())
    passed = [days for days in REMINDERS_WORKING_DAYS if left <= days]
    if not passed:
        return
    key = f"remind-{min(passed)}-{application.valid_until.isoformat()}"
    known = select(AuditEvent.id).where(
        AuditEvent.flow == FLOW,
        AuditEvent.subject_id == application.id,
        AuditEvent.event_key == key,
    )
    if session.scalar(known) is not None:
        return
    event = audit.record(
        session,
        clock,
        SYSTEM,
        flow=FLOW,
        event="remind",
        subject_id=application.id,
        entry_id=application.entry_id,
        from_state=application.state,
        to_state=application.state,
        event_key=key,
    )
    text = (
        f"数据申请“{BINDING.title(application)}”还有{left}个工作日到期，可以在开发者中心申请续期。"
    )
    notices.tell(session, clock, [application.applicant_id], event, text, BINDING.link(application))
