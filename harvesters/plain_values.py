"""Dates, sizes and word lists as catalogues write them; what is none of it is None or empty. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

_SIZE = re.compile(r"\d{1,15}(\.\d+)?")
_BETWEEN = re.compile(r"[,，;；、]")


def moment_of(text: str) -> datetime | None:
    """Return an instant; a bare day is its beginning in UTC, and UTC is meant where no zone is named."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        day = day_of(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def day_of(text: str) -> date | None:
    """Return the day that a text begins with."""
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None


def size_of(text: str) -> int | None:
    """Return a number of bytes; DCAT writes decimals."""
    return int(float(text)) if _SIZE.fullmatch(text) else None


def keywords_of(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words, each once; some catalogues write them all into one text."""
    words = _BETWEEN.split(texts[0]) if len(texts) == 1 else texts
    return tuple(dict.fromkeys(filter(None, (word.strip() for word in words))))
