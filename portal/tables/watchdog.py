"""Stops statements that run too long: one thread a process, asleep while nothing runs."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import duckdb

TICK_SECONDS = 0.05


class Watchdog:
    """Interrupts DuckDB statements at their deadline."""

    def __init__(self) -> None:
        self._running: dict[int, tuple[float, duckdb.DuckDBPyConnection]] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._next_token = 0

    @contextlib.contextmanager
    def limit(self, cursor: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
        """Interrupt what runs on the cursor in this block once `seconds` have passed.

        The interrupt is sent under the lock that leaving the block needs: it can never hit the
        cursor's next statement.
        """
        with self._changed:
            self._start()
            self._next_token += 1
            token = self._next_token
            self._running[token] = (time.monotonic() + seconds, cursor)
            if len(self._running) == 1:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._running.pop(token, None)

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._watch, name="query-watchdog", daemon=True)
            self._thread.start()

    def _watch(self) -> None:
        while True:
            with self._changed:
                while not self._running:
                    self._changed.wait()
                self._interrupt_due()
            time.sleep(TICK_SECONDS)

    def _interrupt_due(self) -> None:
        """A method of its own, so that the sleeping thread holds on to no cursor."""
        now = time.monotonic()
        for deadline, cursor in self._running.values():
            if deadline <= now:
                cursor.interrupt()
