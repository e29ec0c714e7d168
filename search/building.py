"""An index that is built beside the live one, whatever the engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from search.prepared import Prepared, Refusals, reason_of

if TYPE_CHECKING:
    from search.document import SearchDocument
    from search.engine import SearchEngine

BEFORE_ALL = -(2**60)
"""Below the id of every entry: a build that has just begun stands here."""
_BATCH = 500


class IndexBuild(Protocol):
    """One index being built; what others write meanwhile reaches it too.

    It survives its builder: the next one goes on after `stands_at`, the id up to which every entry
    was given and kept.
    """

    @property
    def stands_at(self) -> int: ...

    def add(self, writes: Sequence[Prepared], upto: int) -> Refusals:
        """Add writes in the order of their ids; every entry up to `upto` has now been given."""
        ...

    def publish(self) -> int:
        """Make it the live index, at once for all readers; return how many entries it holds."""
        ...

    def abandon(self) -> None:
        """Remove it; later writes go to the live index only."""
        ...


def build_whole(
    engine: SearchEngine, documents: Iterable[SearchDocument], removed: Iterable[tuple[int, int]]
) -> int:
    """Build a fresh index from documents in one go; a failure leaves the live one.

    Raises:
        Exception: what made a document impossible, or what `documents` raised.
    """
    with engine.build(resume=False) as build:
        try:
            for batch in _batches(_prepared(engine, documents, removed)):
                for reason in build.add(batch, batch[-1].id).values():
                    raise ValueError(reason)
            return build.publish()
        except BaseException:
            build.abandon()
            raise


def _prepared(
    engine: SearchEngine, documents: Iterable[SearchDocument], removed: Iterable[tuple[int, int]]
) -> Iterator[Prepared]:
    yield from map(engine.prepare, documents)
    for entry_id, version in removed:
        yield engine.prepare_removal(entry_id, version)


def _batches(writes: Iterable[Prepared]) -> Iterator[list[Prepared]]:
    source = iter(writes)
    while batch := list(islice(source, _BATCH)):
        yield batch


def prepare_all(
    engine: SearchEngine, documents: Iterable[SearchDocument], removed: Iterable[tuple[int, int]]
) -> tuple[list[Prepared], Refusals]:
    """Return what can be written, and what cannot with the reason: one bad record stops no other."""
    writes: list[Prepared] = []
    refused: Refusals = {}
    for document in documents:
        try:
            writes.append(engine.prepare(document))
        except Exception as error:
            refused[document.id] = reason_of(error)
    writes += [engine.prepare_removal(entry_id, version) for entry_id, version in removed]
    return writes, refused
