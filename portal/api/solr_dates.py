"""Instants and date arithmetic as Solr writes them: 2026-01-01T00:00:00Z, NOW-7DAYS/DAY."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from dateutil.relativedelta import relativedelta

_STEP = re.compile(r"([+-])(\d{1,4})(YEAR|MONTH|DAY|HOUR|MINUTE|SECOND)S?|/(YEAR|MONTH|DAY|HOUR)S?")
_ZEROED: dict[str, dict[str, Any]] = {
    "YEAR": {"month": 1, "day": 1, "hour": 0},
    "MONTH": {"day": 1, "hour": 0},
    "DAY": {"hour": 0},
    "HOUR": {},
}


def read_instant(text: str, now: datetime) -> datetime | None:
    """Return the instant, None for an open end (`*`).

    Raises:
        ValueError: it is none.
    """
    text = text.strip().strip('"')
    if text in ("*", ""):
        return None
    if text.startswith("NOW"):
        return _reckon(now, text[3:])
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _reckon(moment: datetime, rest: str) -> datetime:
    at = 0
    while at < len(rest):
        step = _STEP.match(rest, at)
        if step is None:
            raise ValueError(rest)
        if step[4]:
            moment = moment.replace(minute=0, second=0, microsecond=0, **_ZEROED[step[4]])
        else:
            count = int(step[2]) * (1 if step[1] == "+" else -1)
            try:
                moment += relativedelta(**{f"{step[3].lower()}s": count})  # type: ignore[arg-type]
            except OverflowError as error:
                raise ValueError(rest) from error
        at = step.end()
    return moment
