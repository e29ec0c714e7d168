"""On which day an approved version may come out. Pure."""

from __future__ import annotations

from datetime import date, timedelta

from portal.errors import Invalid

LATEST_DAYS = 366


def planned_day(release_on: date | None, today: date) -> date | None:
    """Return the day to wait for; None if the version comes out at once (no day, or today).

    Raises:
        Invalid: the day lies in the past or more than a year ahead.
    """
    if release_on is None or release_on == today:
        return None
    if release_on < today:
        raise Invalid.one("release_on", "past", "发布日期不能早于今天。")
    if release_on > today + timedelta(days=LATEST_DAYS):
        raise Invalid.one("release_on", "too_late", "发布日期不能晚于一年以后。")
    return release_on
