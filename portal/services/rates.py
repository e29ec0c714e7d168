"""Rate limits shared by all processes: a fixed window in the database, or in Redis when set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis import Redis
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal.models.counter import RateWindow

Counters = Session | Redis
"""Where the counters stand: a session's database, or Redis. Both count exactly."""

REDIS_PREFIX = "xiangyun:rate:"


@dataclass(frozen=True)
class RateState:
    """`remaining` in the window, and the seconds until it ends. `allowed` is False once over."""

    limit: int
    remaining: int
    reset_seconds: int
    allowed: bool


def count_hit(
    counters: Counters,
    now: datetime,
    key: str,
    *,
    limit: int,
    window_seconds: int,
    offset_seconds: int = 0,
) -> RateState:
    """Count one use of `key`; at most `limit` are allowed in each window.

    Args:
        offset_seconds: moves the windows' beginnings east of UTC: 28,800 begins days in Jilin.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    start = window_start(now, window_seconds, offset_seconds)
    if isinstance(counters, Session):
        count = add_hits(counters, key, start, 1)
    else:
        count = _count_in_redis(counters, key, start, window_seconds)
    return rate_state(now, start, window_seconds, limit, count)


def peek_hits(
    counters: Counters,
    now: datetime,
    key: str,
    *,
    limit: int,
    window_seconds: int,
    offset_seconds: int = 0,
) -> RateState:
    """Return how the window stands without counting; `allowed` if one more hit would be."""
    start = window_start(now, window_seconds, offset_seconds)
    if isinstance(counters, Session):
        found = counters.scalar(
            select(RateWindow.count).where(
                RateWindow.key == key,
                RateWindow.window_start == datetime.fromtimestamp(start, UTC),
            )
        )
    else:
        found = counters.get(_redis_key(key, start))  # type: ignore[assignment]
    state = rate_state(now, start, window_seconds, limit, int(found or 0))
    return RateState(state.limit, state.remaining, state.reset_seconds, state.remaining > 0)


def window_start(now: datetime, window_seconds: int, offset_seconds: int = 0) -> int:
    """Return when the window began, in seconds since 1970."""
    shifted = int(now.timestamp()) + offset_seconds
    return shifted // window_seconds * window_seconds - offset_seconds


def rate_state(now: datetime, start: int, window_seconds: int, limit: int, count: int) -> RateState:
    """Return the state of a window whose last use was number `count`."""
    reset = max(1, int(start + window_seconds - now.timestamp()))
    return RateState(limit, max(0, limit - count), reset, count <= limit)


def add_hits(session: Session, key: str, start: int, count: int) -> int:
    """Add so many uses to a window of the database; return how many there are with them."""
    dialect = session.get_bind().dialect.name
    values = {"key": key, "window_start": datetime.fromtimestamp(start, UTC), "count": count}
    return int(session.connection().execute(_ADD[dialect], values).scalar_one())


def take_back_hits(session: Session, key: str, start: int, count: int) -> None:
    """Take uses back that were added in this transaction and did not come about."""
    values = {"of": key, "began": datetime.fromtimestamp(start, UTC), "less": count}
    session.connection().execute(_TAKE_BACK, values)


def _adding(insert: Any) -> Any:
    """Made once for each kind of database: every call of an interface asks it."""
    statement = insert(RateWindow)
    return statement.on_conflict_do_update(
        index_elements=["key", "window_start"],
        set_={"count": RateWindow.count + statement.excluded.count},
    ).returning(RateWindow.count)


_ADD = {"sqlite": _adding(sqlite.insert), "postgresql": _adding(postgresql.insert)}
_TAKE_BACK = (
    update(RateWindow)
    .where(RateWindow.key == bindparam("of"), RateWindow.window_start == bindparam("began"))
    .values(count=RateWindow.count - bindparam("less"))
)


def _count_in_redis(client: Redis, key: str, start: int, window_seconds: int) -> int:
    """INCR and EXPIRE in one MULTI: the counter never outlives its window by much."""
    name = _redis_key(key, start)
    with client.pipeline(transaction=True) as pipeline:
        pipeline.incr(name)
        pipeline.expire(name, window_seconds + 60)
        return int(pipeline.execute()[0])


def _redis_key(key: str, start: int) -> str:
    return f"{REDIS_PREFIX}{key}:{start}"
