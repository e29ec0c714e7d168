"""Rate limits shared by all processes: a fixed window in the database, or in Redis when set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal.models.counter import RateWindow


@dataclass(frozen=True)
class RateState:
    """`remaining` in the window, and the seconds until it ends. `allowed` is False once over."""

    limit: int
    remaining: int
    reset_seconds: int
    allowed: bool


def count_hit(
    session: Session, now: datetime, key: str, *, limit: int, window_seconds: int
) -> RateState:
    """Count one use of `key`; at most `limit` are allowed in each window."""
    start = int(now.timestamp()) // window_seconds * window_seconds
    window_start = datetime.fromtimestamp(start, UTC)
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    count = session.execute(
        insert(RateWindow)
        .values(key=key, window_start=window_start, count=1)
        .on_conflict_do_update(
            index_elements=["key", "window_start"], set_={"count": RateWindow.count + 1}
        )
        .returning(RateWindow.count)
    ).scalar_one()
    reset = max(1, int(start + window_seconds - now.timestamp()))
    return RateState(limit, max(0, limit - count), reset, count <= limit)
