"""How often a grant may call: by second, minute, local day and term, exact across processes.

The counters stand in Redis when REDIS_URL is set. While Redis does not answer, the database
counts instead, from the hits that it has itself: callers are let through rather than refused,
and no more than twice their limit in the window in which Redis went away. What a term has left
stands in the database always, with the other records of use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import structlog
from redis import Redis, RedisError
from sqlalchemy.orm import Session

from extensions.access.services.usage import peek_term
from portal.services.rates import Counters, RateState, count_hit, peek_hits

MINUTE_SECONDS, DAY_SECONDS = 60, 86_400
JILIN_OFFSET_SECONDS = 8 * 3600
REDIS_TIMEOUT_SECONDS = 0.5
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Allowance:
    """The limits of one application; 0 for a second or a term without a limit of its own."""

    application_id: int
    per_minute: int
    quota_day: int
    per_second: int = 0
    quota_term: int = 0
    term_ends_at: datetime | None = None
    sandbox_of: int = 0  # the account whose calls of sandboxes are counted, instead of a grant's

    @property
    def counter(self) -> str:
        if self.sandbox_of:
            return f"access-sandbox:{self.sandbox_of}"
        return f"access:{self.application_id}"


@dataclass(frozen=True)
class Window:
    """One limit: so many calls in so many seconds, in windows that begin at `offset_seconds`."""

    name: str  # second, minute, day or term
    limit: int
    seconds: int  # 0: until the end of the term
    offset_seconds: int = 0


@dataclass(frozen=True)
class QuotaState:
    """Every window that has a limit, shortest first; `tighter` is the one to mind."""

    windows: tuple[tuple[Window, RateState], ...]

    @property
    def allowed(self) -> bool:
        return all(state.allowed for _, state in self.windows)

    @property
    def over(self) -> str:
        """The name of the window that refuses the call; "" if none does."""
        return next((window.name for window, state in self.windows if not state.allowed), "")

    @property
    def tighter(self) -> RateState:
        refusing = [state for _, state in self.windows if not state.allowed]
        return refusing[0] if refusing else min(self._states, key=lambda one: one.remaining)

    @property
    def policy(self) -> str:
        windows = [window for window, _ in self.windows if window.seconds]
        return ", ".join(f"{window.limit};w={window.seconds}" for window in windows)

    @property
    def _states(self) -> list[RateState]:
        return [state for _, state in self.windows]


@cache
def _client(url: str) -> Redis:
    return Redis.from_url(
        url, socket_timeout=REDIS_TIMEOUT_SECONDS, socket_connect_timeout=REDIS_TIMEOUT_SECONDS
    )


class Quota:
    """Says how the windows of an allowance stand, in the store that the settings name."""

    def __init__(self, redis_url: str = "") -> None:
        self._redis = _client(redis_url) if redis_url else None

    def peek(self, session: Session, now: datetime, allowance: Allowance) -> QuotaState:
        """Return how the windows stand; nothing is counted."""
        found = self._ask(peek_hits, now, allowance)
        state = _all_windows(session, peek_hits, now, allowance) if found is None else found
        return _with_term(state, session, now, allowance)

    def count_in_redis(self, now: datetime, allowance: Allowance) -> QuotaState | None:
        """Count one call where Redis counts; None where the database has to."""
        return self._ask(count_hit, now, allowance)

    def _ask(
        self, how: Callable[..., RateState], now: datetime, allowance: Allowance
    ) -> QuotaState | None:
        if self._redis is None:
            return None
        try:
            return _all_windows(self._redis, how, now, allowance)
        except RedisError as error:
            log.warning("redis does not answer, the database counts", error=str(error))
            return None


def seconds_of_day_left(now: datetime) -> int:
    """Return how long the local day still lasts."""
    past = (int(now.timestamp()) + JILIN_OFFSET_SECONDS) % DAY_SECONDS
    return DAY_SECONDS - past


def windows_of(allowance: Allowance) -> tuple[Window, ...]:
    """Return the windows of an allowance, the shortest first."""
    windows = (
        Window("second", allowance.per_second, 1),
        Window("minute", allowance.per_minute, MINUTE_SECONDS),
        Window("day", allowance.quota_day, DAY_SECONDS, JILIN_OFFSET_SECONDS),
    )
    return tuple(w for w in windows if w.limit or w.name != "second")


def _all_windows(
    counters: Counters, how: Callable[..., RateState], now: datetime, allowance: Allowance
) -> QuotaState:
    """Ask the shortest window first: a call refused by one takes nothing from the longer ones."""
    states: list[tuple[Window, RateState]] = []
    asked = how
    for window in windows_of(allowance):
        state = asked(
            counters,
            now,
            f"{allowance.counter}:{window.name}",
            limit=window.limit,
            window_seconds=window.seconds,
            offset_seconds=window.offset_seconds,
        )
        states.append((window, state))
        if not state.allowed:
            asked = peek_hits
    return QuotaState(tuple(states))


def _with_term(
    state: QuotaState, session: Session, now: datetime, allowance: Allowance
) -> QuotaState:
    """Add the term's state. It stands in the database always: it has to last for a year."""
    if not allowance.quota_term:
        return state
    used = peek_term(session, allowance.application_id)
    return QuotaState(
        (*state.windows, term_state(now, allowance, used, used < allowance.quota_term))
    )


def term_state(
    now: datetime, allowance: Allowance, used: int, allowed: bool
) -> tuple[Window, RateState]:
    """Return how the term stands once `used` calls of it are used."""
    limit, ends = allowance.quota_term, allowance.term_ends_at
    left = (ends - now).total_seconds() if ends else 0
    state = RateState(limit, max(0, limit - used), max(1, int(left)), allowed)
    return Window("term", limit, 0), state
