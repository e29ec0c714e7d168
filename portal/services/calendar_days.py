"""Bring the shipped working-day calendar into the portal's table."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import SYSTEM
from portal.clock import Clock
from portal.codes import FOLDER
from portal.models.calendar_notice import CalendarNotice
from portal.models.duty import CalendarDay
from portal.rules.holiday_notice import HolidayNotice, NoticeDay
from portal.services.calendar_notices import CalendarService


def load_calendar_days(session: Session, clock: Clock) -> int:
    """Bring in the shipped days that the table lacks, year by year; return how many days came.

    Years that the Bureau loaded a notice for stay as they are. A shipped year that rests on a
    notice takes the place of a provisional one, as a loaded notice does: deadlines are recomputed.
    """
    loaded = set(
        session.scalars(select(CalendarNotice.year).where(CalendarNotice.whole_year.is_(True)))
    )
    known: dict[int, dict[date, CalendarDay]] = defaultdict(dict)
    for row in session.scalars(select(CalendarDay)):
        known[row.date.year][row.date] = row
    made = 0
    for year, days in _shipped().items():
        if year in loaded:
            continue
        stands = known[year]
        final = not any(day.provisional for day in days)
        if final and any(row.provisional for row in stands.values()):
            CalendarService(session, clock).load(SYSTEM, _as_notice(year, days))
            made += len(days)
        elif final or not stands or any(row.provisional for row in stands.values()):
            missing = [day for day in days if day.date not in stands]
            session.add_all(missing)
            made += len(missing)
    session.flush()
    return made


def _shipped() -> dict[int, list[CalendarDay]]:
    years: dict[int, list[CalendarDay]] = defaultdict(list)
    with (FOLDER / "calendar_days.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            day = date.fromisoformat(row["date"])
            years[day.year].append(
                CalendarDay(
                    date=day,
                    kind=row["kind"],
                    name=row["name"],
                    source=row["source"],
                    provisional=row["provisional"] == "yes",
                )
            )
    return years


def _as_notice(year: int, days: list[CalendarDay]) -> HolidayNotice:
    read = tuple(NoticeDay(day.date, day.kind, day.name) for day in days)
    return HolidayNotice(year, read, days[0].source, "随新版本提供")
