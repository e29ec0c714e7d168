"""What every search engine can do. `portal` knows this protocol and no engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from search.document import SearchDocument
from search.request import SearchRequest, SearchResult, Suggestion


class SearchUnavailable(Exception):
    """The engine does not answer; the caller may try again later."""


class SearchRefused(ValueError):
    """The request itself cannot be answered (too deep, unknown facet, bad cursor)."""


@dataclass(frozen=True)
class IndexedVersion:
    id: int
    version: int
    labels: frozenset[str]


class SearchEngine(Protocol):
    """One index of catalogue entries.

    Every method raises `SearchUnavailable` when the engine does not answer.
    Writes are idempotent and ordered by version: an older version never replaces a newer one,
    and a removal carries the version at which the entry stopped being findable.
    """

    def search(self, request: SearchRequest, labels: frozenset[str]) -> SearchResult:
        """Return what a viewer who holds any of `labels` may find.

        Raises:
            SearchRefused: deeper than the engine can page, or an invalid cursor.
        """
        ...

    def suggest(
        self,
        typed: str,
        labels: frozenset[str],
        limit: int = 8,
        excluded_ids: frozenset[int] = frozenset(),
    ) -> tuple[Suggestion, ...]:
        """Return entries with a title of which a word begins as typed (also in pinyin or its
        initials), the most valuable first."""
        ...

    def write(
        self, documents: Iterable[SearchDocument], removed: Iterable[tuple[int, int]]
    ) -> None:
        """Add or replace documents and remove (id, version) pairs; searchable on return."""
        ...

    def versions(self) -> Iterator[IndexedVersion]:
        """Walk everything indexed, for the comparison with the database."""
        ...

    def rebuild(
        self, documents: Iterable[SearchDocument], removed: Iterable[tuple[int, int]] = ()
    ) -> int:
        """Build a fresh index beside the live one and swap; return how many documents it holds.

        `removed` is remembered in the new index, so that a writer who comes late with an older
        document does not bring it back.
        """
        ...

    def ping(self) -> None:
        """Return if the engine answers."""
        ...

    def close(self) -> None: ...
