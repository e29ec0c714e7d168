"""Answers of an index, kept for as long as it stays as it is.

Many visitors ask alike. An answer depends on the request, the viewer's labels and the state of
the index alone (what is denied just now stands in the request), so it may be given again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import fields
from operator import attrgetter

from search.request import SearchRequest, SearchResult

MOST_ROWS = 50
"""Longer answers are not kept: they are dumps, and would fill the memory."""


MOST_WEIGHT = 12_000
_HIT, _BARE_HIT, _COUNT = 8, 1, 1  # what they take of the memory, roughly: 100 bytes each
_MAPPINGS = attrgetter("filters", "excluded", "required")
_OTHERS = attrgetter(
    *(
        one.name
        for one in fields(SearchRequest)
        if one.name not in ("filters", "excluded", "required")
    )
)


class KeptAnswers:
    """Answers of at most `most` weight; the longest unused goes first. Answers are shared: do not
    change them."""

    def __init__(self, most: int = MOST_WEIGHT) -> None:
        self._most = most
        self._weight = 0
        self._answers: OrderedDict[Hashable, tuple[SearchResult, int]] = OrderedDict()
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
                return found[0]
        made = make()
        self._keep(key, made, _weight(request, made))
        return made

    def _keep(self, key: Hashable, made: SearchResult, weight: int) -> None:
        with self._lock:
            _, before = self._answers.pop(key, (None, 0))
            self._answers[key] = made, weight
            self._weight += weight - before
            while self._weight > self._most:
                _, (_, gone) = self._answers.popitem(last=False)
                self._weight -= gone


def key_of(request: SearchRequest) -> Hashable:
    """Return what equal requests have in common."""
    return _OTHERS(request), *(tuple(sorted(one.items())) for one in _MAPPINGS(request))


def _weight(request: SearchRequest, result: SearchResult) -> int:
    counts = sum(map(len, result.facets.values()))
    return len(result.hits) * (_BARE_HIT if request.bare else _HIT) + counts * _COUNT + 1
