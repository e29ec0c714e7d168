"""The one source of the current time, so that tests can set it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

Clock = Callable[[], datetime]
"""Returns the current instant, aware, in UTC."""


def system_clock() -> datetime:
    return datetime.now(UTC)


def local_date(instant: datetime) -> date:
    """Return the date in Jilin on which the instant falls."""
    return instant.astimezone(SHANGHAI).date()
