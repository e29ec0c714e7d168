"""Working days (工作日) by China's State Council calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol


class DayKind(StrEnum):
    OFF = "off"
    WORK = "work"


@dataclass(frozen=True)
class CalendarDay:
    """A day that departs from the weekday rule. `provisional`: rests on no published notice."""

    date: date
    kind: DayKind
    provisional: bool = False


@dataclass(frozen=True)
class Due:
    """The last day on which a duty is still on time (until 24:00, Asia/Shanghai)."""

    date: date
    provisional: bool
    calendar_version: str


class WorkCalendar(Protocol):
    version: str

    def is_working_day(self, day: date) -> bool: ...

    def covers(self, day: date) -> bool:
        """True if a published notice covers the day's year."""
        ...


class TableCalendar:
    """A calendar made from the rows of the portal's table `calendar_day`.

    A year is covered when it has rows and none of them is provisional.
    Years without rows follow the plain weekday rule and are provisional.
    """

    def __init__(self, days: Mapping[date, CalendarDay], version: str) -> None:
        self._days = days
        self.version = version
        by_year: dict[int, bool] = {}
        for day in days.values():
            by_year[day.date.year] = by_year.get(day.date.year, True) and not day.provisional
        self._covered = frozenset(year for year, covered in by_year.items() if covered)

    def is_working_day(self, day: date) -> bool:
        exception = self._days.get(day)
        if exception is not None:
            return exception.kind is DayKind.WORK
        return day.weekday() < 5

    def covers(self, day: date) -> bool:
        return day.year in self._covered


def due_after(start: date, working_days: int, calendar: WorkCalendar) -> Due:
    """Return the last day on which a duty is still on time.

    Args:
        start: local date (Asia/Shanghai) of receipt; counting starts the day after.
        working_days: length of the duty, 1 or more.

    Returns:
        Due with `provisional=True` if a day in the span rests on no published notice.

    Raises:
        ValueError: `working_days` is below 1.

    Source: Measures, art. 46 (1, 2 and 5 working days); Civil Code, arts. 201-203.
    """
    if working_days < 1:
        raise ValueError("a duty lasts at least one working day")
    day, left, provisional = start, working_days, False
    while left:
        day += timedelta(days=1)
        provisional = provisional or not calendar.covers(day)
        left -= calendar.is_working_day(day)
    return Due(day, provisional, calendar.version)


def working_days_between(start: date, end: date, calendar: WorkCalendar) -> int:
    """Count the working days in (start, end]; negative when `end` lies before `start`."""
    if end < start:
        return -working_days_between(end, start, calendar)
    span = (end - start).days
    return sum(calendar.is_working_day(start + timedelta(days=n)) for n in range(1, span + 1))
