"""A clock for telling what happened in the past."""

from __future__ import annotations

from datetime import UTC, date, datetime

from portal.clock import SHANGHAI


class HistoryClock:
    """A clock that the loader sets to the time at which something is meant to have happened."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, day: date, hour: int = 9) -> None:
        self.now = datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI).astimezone(UTC)
