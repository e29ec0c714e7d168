"""The deadlines behind the Bureau's numbers: kept, missed, and open ones (read model)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from portal.clock import local_date
from portal.codes import code_list
from portal.models.duty import Deadline
from portal.models.organisation import Organisation
from portal.services.flow import FLOWS
from portal.services.overview import DEADLINE_DAYS, OWES, city_of

MET, MISSED, OPEN = "met", "missed", "open"
OUTCOMES = (MET, MISSED, OPEN)


@dataclass(frozen=True)
class DeadlineFilter:
    """`outcome` is one of OUTCOMES or empty; `organisation` and `region` (a city) are codes."""

    outcome: str = ""
    organisation: str = ""
    region: str = ""


@dataclass(frozen=True)
class DeadlineRow:
    title: str
    link: str
    flow: str
    organisation: str
    start_on: date
    due_on: date
    closed_at: datetime | None
    met: bool | None
    late: bool
    provisional: bool


def list_deadlines(
    session: Session, now: datetime, chosen: DeadlineFilter, *, limit: int, offset: int
) -> tuple[Sequence[DeadlineRow], int]:
    """Return the deadlines that the overview counts, the newest due day first, and their number."""
    query = (
        select(Deadline, Organisation.name)
        .join(Organisation, OWES)
        .where(*_conditions(now, chosen))
    )
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    ordered = query.order_by(Deadline.due_on.desc(), Deadline.id.desc())
    found = session.execute(ordered.limit(limit).offset(offset))
    return [_row(session, one, name, local_date(now)) for one, name in found], total


def _conditions(now: datetime, chosen: DeadlineFilter) -> list[ColumnElement[bool]]:
    since, today = now - timedelta(days=DEADLINE_DAYS), local_date(now)
    late = Deadline.closed_at.is_(None) & (Deadline.due_on < today)
    recent = Deadline.closed_at >= since
    outcomes: dict[str, ColumnElement[bool]] = {
        MET: recent & Deadline.met.is_(True),
        MISSED: (recent & Deadline.met.is_(False)) | late,
        OPEN: Deadline.closed_at.is_(None),
    }
    found = [outcomes.get(chosen.outcome, recent | Deadline.closed_at.is_(None))]
    if chosen.organisation:
        found.append(Organisation.code == chosen.organisation)
    if chosen.region:
        codes = [r.code for r in code_list("regions") if city_of(r.code) == chosen.region]
        found.append(Organisation.region_code.in_(codes))
    return found


def _row(session: Session, deadline: Deadline, organisation: str, today: date) -> DeadlineRow:
    binding = FLOWS.find_binding(deadline.flow)
    subject: Any = session.get(binding.model, deadline.subject_id) if binding else None
    return DeadlineRow(
        title=binding.title(subject) if binding and subject is not None else "",
        link=binding.link(subject) if binding and subject is not None else "",
        flow=binding.name if binding else deadline.flow,
        organisation=organisation,
        start_on=deadline.start_on,
        due_on=deadline.due_on,
        closed_at=deadline.closed_at,
        met=deadline.met,
        late=deadline.closed_at is None and deadline.due_on < today,
        provisional=deadline.provisional,
    )
