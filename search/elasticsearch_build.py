"""An Elasticsearch index while it is built: writers feed it too, its progress is kept in itself."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from search.elasticsearch_indexes import AliasedIndex, answering
from search.engine import SearchRefused, SearchUnavailable
from search.prepared import Prepared, Refusals

_KEEP_EVERY = 5_000  # writes; so much a killed builder's successor does again at most


class ElasticsearchBuild:
    """An `IndexBuild`. What it is given twice is ordered by version, so nothing is looked up."""

    def __init__(self, index: AliasedIndex, name: str, stands_at: int, given: int) -> None:
        self._index, self._name = index, name
        self._stands_at, self._highest, self._given = stands_at, stands_at, given
        self._unkept = 0

    @property
    def stands_at(self) -> int:
        return self._stands_at

    def add(self, writes: Sequence[Prepared], upto: int) -> Refusals:
        with answering():
            refused = self._index.write_building(list(writes))
        fresh = {write.id for write in writes if write.id > self._highest} - refused.keys()
        self._highest = max(self._highest, upto)
        self._given += len(fresh)
        self._unkept += len(writes)
        if self._unkept >= _KEEP_EVERY:
            with answering():
                self._index.keep_progress(self._name, upto, self._given)
            self._stands_at, self._unkept = upto, 0
        return refused

    def publish(self) -> int:
        """Make it live if it holds what it was given.

        Raises:
            SearchUnavailable: documents are missing; the live index stays.
        """
        with answering():
            return self._index.publish_checked(self._name, self._given)

    def abandon(self) -> None:
        with suppress(SearchUnavailable, SearchRefused), answering():
            self._index.abandon_builds()
