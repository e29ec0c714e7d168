"""What every search engine can do. `portal` knows this protocol and no engine."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from search.building import IndexBuild
from search.document import SearchDocument
from search.prepared import Prepared, Refusals
from search.request import SearchRequest, SearchResult, Suggestion


class SearchUnavailable(Exception):
    """The engine does not answer; the caller may try again later."""


class SearchFull(SearchUnavailable):
    """The engine's disk is full: it answers, and takes no write until there is room again."""


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

    def prepare(self, document: SearchDocument) -> Prepared:
        """Return the write of a document: the costly part, done without the engine.

        Raises:
            Exception: the document cannot be made (a value of a wrong type, say).
        """
        ...

    def prepare_removal(self, entry_id: int, version: int) -> Prepared: ...

    def write(
        self, documents: Iterable[SearchDocument], removed: Iterable[tuple[int, int]]
    ) -> Refusals:
        """Add or replace documents and remove (id, version) pairs; searchable on return.

        Returns:
            The documents that cannot be made or that the engine does not take, with the reason;
            all the others are written.

        Raises:
            SearchFull: no room; nothing is lost by trying again later.
        """
        ...

    def versions(self, ids: Collection[int] | None = None) -> Iterator[IndexedVersion]:
        """Walk what is indexed in the order of ids, for the comparison with the database."""
        ...

    def build(self, *, resume: bool = True) -> AbstractContextManager[IndexBuild]:
        """Begin to build a fresh index beside the live one, or go on with what is left of one.

        Raises:
            SearchUnavailable: somebody else is building.
        """
        ...

    def rebuild(
        self, documents: Iterable[SearchDocument], removed: Iterable[tuple[int, int]] = ()
    ) -> int:
        """Build a fresh index beside the live one and swap; return how many documents it holds.

        `removed` is remembered in the new index, so that a writer who comes late with an older
        document does not bring it back.
        """
        ...

    def is_full(self) -> bool:
        """Say whether the engine takes no writes because its disk is full."""
        ...

    def ping(self) -> None:
        """Return if the engine answers."""
        ...

    def close(self) -> None: ...
