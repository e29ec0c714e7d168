"""A circuit breaker: a service that fails again and again is left alone for a while.

Each process has its own. Closed, calls go through; after FAILURES failures in a row it is open and
refuses for OPEN_SECONDS; then one call may try, and its result closes or opens it again.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

FAILURES = 5
OPEN_SECONDS = 30.0


@dataclass
class _State:
    failures: int = 0
    open_until: float = 0.0
    is_trying: bool = False


class Breaker:
    """Breakers by key (an interface's id); safe to use from many threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._states: dict[int, _State] = {}

    def seconds_closed(self, key: int) -> int:
        """Return 0 if a call may go through (and count it as trying), else seconds to wait."""
        with self._lock:
            state = self._states.setdefault(key, _State())
            if state.failures < FAILURES:
                return 0
            left = state.open_until - self._clock()
            if left > 0 or state.is_trying:
                return max(1, math.ceil(left))
            state.is_trying = True
            return 0

    def succeeded(self, key: int) -> None:
        with self._lock:
            self._states[key] = _State()

    def failed(self, key: int) -> None:
        with self._lock:
            state = self._states.setdefault(key, _State())
            state.failures += 1
            state.is_trying = False
            if state.failures >= FAILURES:
                state.open_until = self._clock() + OPEN_SECONDS
