"""Answers of an index, kept for as long as it stays as it is.

Many visitors ask alike. An answer depends on the request, the viewer's labels and the state of
the index alone (what is denied just now stands in the request), so it may be given again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields
from typing import Any

from search.request import SearchRequest, SearchResult

MOST_ROWS = 50
"""Longer answers are not kept: they are dumps, and would fill the memory."""


class KeptAnswers:
    """At most `size` answers; the longest unused goes first. Answers are shared: do not change them."""

    def __init__(self, size: int = 64) -> None:
        self._size = size
        self._answers: OrderedDict[Hashable, SearchResult] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self,
        state: Hashable,
        request: SearchRequest,
        labels: frozenset[str],
        make: Callable[[], SearchResult],
    ) -> SearchResult:
        """Return the answer kept for this state of the index, or make it and keep it."""
        if request.rows > MOST_ROWS:
            return make()
        key = (state, labels, key_of(request))
        with self._lock:
            found = self._answers.get(key)
            if found is not None:
                self._answers.move_to_end(key)
                return found
        made = make()
        with self._lock:
            self._answers[key] = made
            while len(self._answers) > self._size:
                self._answers.popitem(last=False)
        return made


def key_of(request: SearchRequest) -> Hashable:
    """Return what equal requests have in common."""
    return tuple(_hashable(getattr(request, field.name)) for field in fields(request))


def _hashable(value: Any) -> Hashable:
    return tuple(sorted(value.items())) if isinstance(value, Mapping) else value
