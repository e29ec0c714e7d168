"""The words of an index, kept by a process and made anew when the index has changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

from search.lexicon import lexicon
from search.vocabulary import Vocabulary

_CHEAP_SECONDS = 0.03
_RARELY = 50  # a table that is costly to make is not made again for so many times its cost
_SHORT_WAIT_SECONDS = 10.0


class KeptVocabulary:
    """The vocabulary of an index, made again when the index has changed.

    One that is quick to make is made at once; a large one in the background, while the old one
    serves on.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[Hashable, Vocabulary] | None = None
        self._made_at = 0.0
        self._cost_seconds = 0.0
        self._making = False

    def get(self, state: Hashable, make: Callable[[], Vocabulary]) -> Vocabulary:
        state = (state, lexicon().number)
        kept = self._kept
        if kept is not None and kept[0] == state:
            return kept[1]
        if kept is None or self._cost_seconds < _CHEAP_SECONDS:
            with self._lock:
                if self._kept is None or self._kept[0] != state:
                    self._make(state, make)
                assert self._kept is not None
                return self._kept[1]
        age = time.monotonic() - self._made_at
        if age > max(_SHORT_WAIT_SECONDS, _RARELY * self._cost_seconds) and not self._making:
            self._making = True
            threading.Thread(target=self._make_beside, args=(state, make), daemon=True).start()
        return kept[1]

    def _make(self, state: Hashable, make: Callable[[], Vocabulary]) -> None:
        start = time.monotonic()
        self._kept = (state, make())
        self._made_at = time.monotonic()
        self._cost_seconds = self._made_at - start

    def _make_beside(self, state: Hashable, make: Callable[[], Vocabulary]) -> None:
        try:
            self._make(state, make)
        finally:
            self._making = False
