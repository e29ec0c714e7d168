"""Deadlines in working days: opened when a state is entered, closed when it is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import Clock, local_date
from portal.models.duty import CalendarDay, Deadline
from portal.rules import calendar as rules
from portal.rules.transitions import Transition

_CACHE = "work_calendar"


def work_calendar(session: Session) -> rules.TableCalendar:
    """Return the calendar of the portal's table; read once a session."""
    cached = session.info.get(_CACHE)
    if cached is None:
        days = {
            row.date: rules.CalendarDay(row.date, rules.DayKind(row.kind), row.provisional)
            for row in session.scalars(select(CalendarDay))
        }
        newest = max((day.isoformat() for day in days), default="none")
        cached = rules.TableCalendar(days, f"table-{len(days)}-{newest}")
        session.info[_CACHE] = cached
    return cached


def forget_calendar(session: Session) -> None:
    """Have the calendar read again: its days were changed in this session."""
    session.info.pop(_CACHE, None)


def open_deadlines(
    session: Session,
    duties: Iterable[tuple[Transition, int | date]],
    *,
    subject_id: int,
    entry_id: int | None,
    starts: Mapping[str, datetime],
    entered_at: datetime,
    organisations: Mapping[str, frozenset[int]],
) -> list[Deadline]:
    """Open one deadline for each distinct duty among the rows that leave a state.

    Args:
        duties: rows with the length of their duty in working days, or its fixed last day.
        starts: a row's `due_from` -> its instant; a name it lacks counts from `entered_at`.
    """
    grouped: dict[tuple[int | date, str, str], list[Transition]] = {}
    for row, duty in duties:
        grouped.setdefault((duty, row.due_from, row.due_source), []).append(row)
    opened = []
    for (duty, start, source), rows in grouped.items():
        start_on = local_date(starts.get(start, entered_at))
        due = _due(session, start_on, duty)
        owners = organisations.get(rows[0].actors[0], frozenset())
        opened.append(
            Deadline(
                flow=rows[0].flow,
                subject_id=subject_id,
                entry_id=entry_id,
                organisation_id=min(owners, default=None),
                actor_kind=rows[0].actors[0],
                state=rows[0].state,
                events=" ".join(row.event for row in rows),
                start_on=start_on,
                working_days=duty if isinstance(duty, int) else 0,
                due_on=due.date,
                provisional=due.provisional,
                source=source,
            )
        )
    session.add_all(opened)
    return opened


def _due(session: Session, start_on: date, duty: int | date) -> rules.Due:
    calendar = work_calendar(session)
    if isinstance(duty, date):
        return rules.Due(duty, False, calendar.version)
    return rules.due_after(start_on, duty, calendar)


def close_deadlines(
    session: Session, clock: Clock, *, flow: str, subject_id: int, event: str
) -> Deadline | None:
    """Close all that ran in the state that is left; return what the event itself met or missed."""
    judged: Deadline | None = None
    now = clock()
    for deadline in list_open_deadlines(session, flow, subject_id):
        deadline.closed_at = now
        deadline.met = local_date(now) <= deadline.due_on
        if event in deadline.events.split():
            judged = deadline
    return judged


def list_open_deadlines(session: Session, flow: str, subject_id: int) -> list[Deadline]:
    return list(
        session.scalars(
            select(Deadline).where(
                Deadline.flow == flow,
                Deadline.subject_id == subject_id,
                Deadline.closed_at.is_(None),
            )
        )
    )


def extend_deadlines(session: Session, flow: str, subject_id: int, working_days: int) -> None:
    """Move the subject's open deadlines by so many working days after their last day."""
    for deadline in list_open_deadlines(session, flow, subject_id):
        due = rules.due_after(deadline.due_on, working_days, work_calendar(session))
        deadline.due_on, deadline.provisional = due.date, deadline.provisional or due.provisional
        deadline.working_days += working_days


def working_days_left(session: Session, due_on: date, now: datetime) -> int:
    """Return the working days from today (not counted) to the due date; negative when late."""
    return rules.working_days_between(local_date(now), due_on, work_calendar(session))
