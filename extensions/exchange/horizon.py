"""Up to when the walk of changes is settled: what is newer may still get company before it.

A change is stamped in its transaction and seen after its commit. On PostgreSQL, where several write at
once, a change with an earlier stamp may so appear after one with a later stamp, behind the back of who
walked past. Therefore only what is older than every open writing transaction, and some seconds old at
all, is handed out. On SQLite one writes at a time, and the order of stamps is the order of commits.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

HORIZON = timedelta(seconds=10)
"""For clocks of several machines that differ, and for stamps taken before a transaction's first write."""

LONGEST_WRITE = timedelta(minutes=15)
"""A transaction that is open for longer (its client hangs) no longer holds the walk back."""

_OLDEST_WRITER = text(
    "SELECT min(xact_start) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL"
)


def settled_until(session: Session, now: datetime) -> datetime | None:
    """Return up to when everything is settled; None where everything is."""
    if session.get_bind().dialect.name != "postgresql":
        return None
    bound = now - HORIZON
    oldest: datetime | None = session.scalar(_OLDEST_WRITER)
    if oldest is not None:
        oldest = oldest.astimezone(UTC) - HORIZON
        bound = min(bound, max(oldest, now - LONGEST_WRITE))
    return bound
