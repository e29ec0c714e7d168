"""How often a grant may call: by the minute and by the local day, exact across processes.

The counters stand in Redis when REDIS_URL is set. While Redis does not answer, the database
counts instead, from the hits that it has itself: callers are let through rather than refused,
and no more than twice their limit in the window in which Redis went away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import structlog
from redis import Redis, RedisError
from sqlalchemy.orm import Session

from portal.services.rates import Counters, RateState, count_hit, peek_hits

MINUTE_SECONDS, DAY_SECONDS = 60, 86_400
JILIN_OFFSET_SECONDS = 8 * 3600
REDIS_TIMEOUT_SECONDS = 0.5
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Allowance:
    """The limits of one application."""

    application_id: int
    per_minute: int
    quota_day: int


@dataclass(frozen=True)
class QuotaState:
    """Both windows; `tighter` is the one a caller should mind."""

    minute: RateState
    day: RateState

    @property
    def allowed(self) -> bool:
        return self.minute.allowed and self.day.allowed

    @property
    def tighter(self) -> RateState:
        if not self.day.allowed or (
            self.minute.allowed and self.day.remaining < self.minute.remaining
        ):
            return self.day
        return self.minute


@cache
def _client(url: str) -> Redis:
    return Redis.from_url(
        url, socket_timeout=REDIS_TIMEOUT_SECONDS, socket_connect_timeout=REDIS_TIMEOUT_SECONDS
    )


class Quota:
    """Counts calls in the store that the settings name."""

    def __init__(self, redis_url: str = "") -> None:
        self._redis = _client(redis_url) if redis_url else None

    def peek(self, session: Session, now: datetime, allowance: Allowance) -> QuotaState:
        """Return how the windows stand; nothing is counted."""
        return self._ask(session, peek_hits, now, allowance)

    def count(self, session: Session, now: datetime, allowance: Allowance) -> QuotaState:
        """Count one call; `session` is a writing one."""
        return self._ask(session, count_hit, now, allowance)

    def _ask(
        self,
        session: Session,
        how: Callable[..., RateState],
        now: datetime,
        allowance: Allowance,
    ) -> QuotaState:
        if self._redis is not None:
            try:
                return _both(self._redis, how, now, allowance)
            except RedisError as error:
                log.warning("redis does not answer, the database counts", error=str(error))
        return _both(session, how, now, allowance)


def _both(
    counters: Counters, how: Callable[..., RateState], now: datetime, allowance: Allowance
) -> QuotaState:
    """Ask the minute first: a call refused by it takes nothing from the day."""
    name = f"access:{allowance.application_id}"
    minute = how(
        counters,
        now,
        f"{name}:minute",
        limit=allowance.per_minute,
        window_seconds=MINUTE_SECONDS,
    )
    day_how = how if minute.allowed else peek_hits
    day = day_how(
        counters,
        now,
        f"{name}:day",
        limit=allowance.quota_day,
        window_seconds=DAY_SECONDS,
        offset_seconds=JILIN_OFFSET_SECONDS,
    )
    return QuotaState(minute, day)
