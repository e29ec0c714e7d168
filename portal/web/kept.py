"""Values that many visitors need alike, kept for some seconds in this process."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """At most `size` values, each for `seconds`; the longest unused goes first."""

    def __init__(self, *, seconds: float, size: int = 256) -> None:
        self._seconds, self._size = seconds, size
        self._values: OrderedDict[Hashable, tuple[float, Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the kept value, or make and keep it. An error of `make` keeps nothing."""
        now = time.monotonic()
        with self._lock:
            found = self._values.get(key)
            if found is not None and now - found[0] < self._seconds:
                self._values.move_to_end(key)
                return found[1]
        value = make()
        with self._lock:
            self._values[key] = (now, value)
            self._values.move_to_end(key)
            while len(self._values) > self._size:
                self._values.popitem(last=False)
        return value
