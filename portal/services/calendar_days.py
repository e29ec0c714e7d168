"""Load the working-day calendar into the portal's table."""

from __future__ import annotations

import csv
from datetime import date

from sqlalchemy.orm import Session

from portal.codes import FOLDER
from portal.models.duty import CalendarDay


def load_calendar_days(session: Session) -> int:
    """Add the days of the shipped list that the table lacks; what the Bureau set stays."""
    made = 0
    with (FOLDER / "calendar_days.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            day = date.fromisoformat(row["date"])
            if session.get(CalendarDay, day) is None:
                session.add(
                    CalendarDay(
                        date=day,
                        kind=row["kind"],
                        name=row["name"],
                        source=row["source"],
                        provisional=row["provisional"] == "yes",
                    )
                )
                made += 1
    return made
