"""When an agency's data must be updated: by day, with the grace after it (flow F2; read model)."""

from __future__ import annotations

from calendar import Calendar
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import local_date
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.freshness import Freshness
from portal.models.organisation import Organisation
from portal.rules.calendar import due_after
from portal.services.deadlines import work_calendar
from portal.services.freshness_flow import grace_days_of, period_end


@dataclass(frozen=True)
class Update:
    """One entry: the period ends on `due_on`, the grace on `last_on` (local dates)."""

    slug: str
    title: str
    frequency: str
    state: str
    due_on: date
    last_on: date
    grace: int
    provisional: bool


@dataclass
class Day:
    """A day of the month's sheet."""

    date: date
    in_month: bool
    working: bool
    provisional: bool
    due: list[Update] = field(default_factory=list)
    last: list[Update] = field(default_factory=list)


def list_updates(session: Session, organisation_ids: Collection[int]) -> list[Update]:
    """Return every watched entry of the providers, what must be updated first on top."""
    calendar = work_calendar(session)
    query = (
        select(
            CatalogueEntry.slug,
            EntryVersion.title,
            EntryVersion.update_frequency,
            Freshness.state,
            Freshness.updated_at,
            Freshness.due_at,
        )
        .join(CatalogueEntry, CatalogueEntry.id == Freshness.entry_id)
        .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .where(
            CatalogueEntry.provider_id.in_(organisation_ids),
            Freshness.state.in_(("current", "due", "overdue")),
        )
    )
    found = []
    for row in session.execute(query):
        end = row.due_at or period_end(row.updated_at, row.update_frequency)
        if end is None:
            continue
        due_on, grace = local_date(end), grace_days_of(row.update_frequency)
        last = due_after(due_on, grace, calendar) if grace else None
        found.append(
            Update(
                slug=row.slug,
                title=row.title,
                frequency=row.update_frequency,
                state=row.state,
                due_on=due_on,
                last_on=last.date if last else due_on,
                grace=grace,
                provisional=last.provisional if last else False,
            )
        )
    return sorted(found, key=lambda one: (one.last_on, one.title))


def month_sheet(session: Session, updates: Collection[Update], month: date) -> list[list[Day]]:
    """Return the weeks of a month, Monday first, with what falls on each day."""
    due: dict[date, list[Update]] = defaultdict(list)
    last: dict[date, list[Update]] = defaultdict(list)
    for one in updates:
        due[one.due_on].append(one)
        last[one.last_on].append(one)
    calendar = work_calendar(session)
    return [
        [
            Day(
                date=day,
                in_month=day.month == month.month,
                working=calendar.is_working_day(day),
                provisional=not calendar.covers(day),
                due=due.get(day, []),
                last=last.get(day, []),
            )
            for day in week
        ]
        for week in Calendar(firstweekday=0).monthdatescalendar(month.year, month.month)
    ]


def watched_organisations(session: Session) -> list[Organisation]:
    """Return the organisations with data whose updates are watched."""
    watched = (
        select(CatalogueEntry.provider_id)
        .join(Freshness, Freshness.entry_id == CatalogueEntry.id)
        .where(Freshness.state != "stopped")
    )
    query = select(Organisation).where(Organisation.id.in_(watched)).order_by(Organisation.id)
    return list(session.scalars(query))
