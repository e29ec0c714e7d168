"""A deadline as people read it: how many working days are left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from portal.clock import Clock, local_date
from portal.services.deadlines import working_days_left


@dataclass(frozen=True)
class Clockface:
    """`left` in working days from today, negative when late."""

    due_on: date
    left: int
    provisional: bool
    late: bool
    today: bool


def clockface(session: Session, clock: Clock, due_on: date, provisional: bool) -> Clockface:
    """Return a deadline as people read it; late means after the end of its day in Jilin."""
    now = clock()
    today = local_date(now)
    left = working_days_left(session, due_on, now)
    return Clockface(due_on, left, provisional, late=due_on < today, today=due_on == today)
