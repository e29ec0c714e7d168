"""Places in the walk of changes, and the texts by which callers come back to them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

_LARGEST = 2**63 - 1  # of a column of either database


@dataclass(frozen=True)
class Position:
    """A place in the walk: what stands at or before it has been given."""

    sequence: int

    def text(self) -> str:
        return f"s{self.sequence}"


@dataclass(frozen=True)
class FormerPosition:
    """A place as releases before 24 November 2026 gave it: clients come back with it once."""

    stamp: datetime
    entry_id: int


def read_position(text: str) -> Position | FormerPosition:
    """Return the position that `Position.text` wrote, now or formerly.

    Raises:
        ValueError: it did not; a caller may send anything.
    """
    if text.startswith("s"):
        return Position(_number(text[1:]))
    stamp, _, number = text.rpartition("|")
    return FormerPosition(read_instant(stamp), _number(number))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= _LARGEST):
        raise ValueError(text[:40])
    return int(text)


def read_instant(text: str) -> datetime:
    """Return an ISO 8601 instant in UTC; one without a zone is UTC.

    Raises:
        ValueError: it is no instant, or one that UTC cannot say.
    """
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        return found.replace(tzinfo=UTC)
    try:
        return found.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error
