"""Places in the walk of changes, and the texts by which callers come back to them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

_LARGEST_ID = 2**63 - 1  # of a column of either database


@dataclass(frozen=True)
class Position:
    """A place in the walk: what stands at or before it has been given."""

    stamp: datetime
    entry_id: int

    def text(self) -> str:
        return f"{self.stamp.astimezone(UTC).isoformat()}|{self.entry_id}"


def read_position(text: str) -> Position:
    """Return the position that `Position.text` wrote.

    Raises:
        ValueError: it did not; a caller may send anything.
    """
    stamp, _, number = text.rpartition("|")
    found = Position(read_instant(stamp), int(number))
    if not 0 <= found.entry_id <= _LARGEST_ID:
        raise ValueError(number)
    return found


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
