"""Working days by the State Council's calendar."""

from __future__ import annotations

import csv
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.codes import FOLDER
from portal.rules.calendar import (
    CalendarDay,
    DayKind,
    TableCalendar,
    due_after,
    working_days_between,
)


def _calendar() -> TableCalendar:
    with (FOLDER / "calendar_days.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            CalendarDay(
                date.fromisoformat(row["date"]), DayKind(row["kind"]), row["provisional"] == "yes"
            )
            for row in csv.DictReader(file)
        ]
    return TableCalendar({row.date: row for row in rows}, "test")


CALENDAR = _calendar()
DAYS = st.dates(date(2025, 1, 1), date(2026, 11, 30))


@pytest.mark.parametrize(
    ("start", "one", "two", "five"),
    [
        ("2025-01-24", "2025-01-26", "2025-01-27", "2025-02-07"),  # a make-up Sunday counts
        ("2025-01-27", "2025-02-05", "2025-02-06", "2025-02-10"),
        ("2025-01-29", "2025-02-05", "2025-02-06", "2025-02-10"),  # received on New Year's day
        ("2025-09-26", "2025-09-28", "2025-09-29", "2025-10-10"),
        ("2025-09-30", "2025-10-09", "2025-10-10", "2025-10-14"),
        ("2025-10-10", "2025-10-11", "2025-10-13", "2025-10-16"),
        ("2025-12-31", "2026-01-04", "2026-01-05", "2026-01-08"),
        ("2026-02-12", "2026-02-13", "2026-02-14", "2026-02-26"),
        ("2026-02-13", "2026-02-14", "2026-02-24", "2026-02-27"),
        ("2026-02-14", "2026-02-24", "2026-02-25", "2026-02-28"),
        ("2026-02-17", "2026-02-24", "2026-02-25", "2026-02-28"),
        ("2026-02-27", "2026-02-28", "2026-03-02", "2026-03-05"),
        ("2026-04-30", "2026-05-06", "2026-05-07", "2026-05-11"),
        ("2026-09-18", "2026-09-20", "2026-09-21", "2026-09-24"),
        ("2026-09-24", "2026-09-28", "2026-09-29", "2026-10-09"),
        ("2026-09-30", "2026-10-08", "2026-10-09", "2026-10-13"),
        ("2026-10-03", "2026-10-08", "2026-10-09", "2026-10-13"),
        ("2026-10-09", "2026-10-10", "2026-10-12", "2026-10-15"),
        ("2026-11-24", "2026-11-25", "2026-11-26", "2026-12-01"),
    ],
)
def test_due_after(start: str, one: str, two: str, five: str) -> None:
    for working_days, expected in ((1, one), (2, two), (5, five)):
        due = due_after(date.fromisoformat(start), working_days, CALENDAR)
        assert due.date == date.fromisoformat(expected)
        assert not due.provisional


def test_a_span_into_a_year_without_a_notice_is_provisional() -> None:
    due = due_after(date(2026, 12, 28), 5, CALENDAR)
    assert (due.date, due.provisional) == (date(2027, 1, 5), True)


def test_a_duty_lasts_at_least_a_day() -> None:
    with pytest.raises(ValueError, match="at least one"):
        due_after(date(2026, 1, 5), 0, CALENDAR)


@given(DAYS, st.integers(1, 60))
def test_a_due_date_is_a_working_day_with_so_many_before_it(start: date, n: int) -> None:
    due = due_after(start, n, CALENDAR).date
    assert CALENDAR.is_working_day(due)
    assert working_days_between(start, due, CALENDAR) == n
    assert due_after(start, n + 1, CALENDAR).date > due
    assert due_after(start + timedelta(days=1), n, CALENDAR).date >= due


@pytest.mark.parametrize("year", [2025, 2026])
def test_a_year_has_248_working_days(year: int) -> None:
    assert working_days_between(date(year - 1, 12, 31), date(year, 12, 31), CALENDAR) == 248


def test_days_left_are_negative_when_late() -> None:
    assert working_days_between(date(2026, 11, 26), date(2026, 11, 24), CALENDAR) == -2
