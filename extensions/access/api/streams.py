"""How many streams a grant may have under way: a few, so that it never holds all download slots."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from extensions.access.errors import CallRefused
from extensions.access.quota import Allowance

MAX_STREAMS = 2  # of one grant, in one process
BUSY_SECONDS = 10
_running: Counter[str] = Counter()
_lock = threading.Lock()


class Held:
    """A place of a grant's streams, given back once."""

    def __init__(self, key: str) -> None:
        self._key, self._is_held = key, True
        self.is_handed_on = False

    def give_back(self) -> None:
        with _lock:
            if self._is_held:
                self._is_held = False
                _running[self._key] -= 1
                if not _running[self._key]:
                    del _running[self._key]

    def until_closed(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Return the pieces; the place goes back when they end or are closed."""
        self.is_handed_on = True
        return _Pieces(pieces, self)


class _Pieces:
    """An iterator that also gives back when it was closed before its first piece was taken."""

    def __init__(self, pieces: Iterator[bytes], held: Held) -> None:
        self._pieces, self._held = pieces, held

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        getattr(self._pieces, "close", lambda: None)()
        self._held.give_back()


@contextmanager
def streams_of(allowance: Allowance) -> Iterator[Held]:
    """Hold a place for one stream more.

    Raises:
        CallRefused: the grant has as many streams under way in this process as it may.
    """
    key = allowance.counter
    with _lock:
        if _running[key] >= MAX_STREAMS:
            raise CallRefused("streams_busy", seconds=BUSY_SECONDS)
        _running[key] += 1
    held = Held(key)
    try:
        yield held
    except BaseException:
        held.give_back()
        raise
    if not held.is_handed_on:
        held.give_back()
