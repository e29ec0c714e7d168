"""A generation of the embedded index while it is built: added to in the order of ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import tantivy
from tantivy import Order

from search import fields
from search.building import BEFORE_ALL
from search.clauses import Clause, Everything, Terms
from search.prepared import Prepared, Refusals, newest, reason_of
from search.tantivy_compiler import compile_clause
from search.tantivy_folder import IndexFolder, unwritable
from search.tantivy_ranking import total_of

_WRITE_HEAP_BYTES = 30_000_000
_BUILD_HEAP_BYTES = 50_000_000  # few and large segments: quicker to build and to search
_COMMIT_EVERY = 20_000  # writes; so much a killed builder's successor does again at most
_UNPARSED = ("could not be parsed", "not valid JSON")


@contextmanager
def writing_to(index: tantivy.Index) -> Iterator[tantivy.IndexWriter]:
    """A writer for one batch: commits at the end, gives the index free in any case."""
    try:
        writer = index.writer(_WRITE_HEAP_BYTES, 1)
    except (OSError, ValueError) as error:
        raise unwritable(error) from error
    try:
        yield writer
        commit(writer)
    except BaseException:
        writer.rollback()
        raise
    finally:
        writer.wait_merging_threads()


def commit(writer: tantivy.IndexWriter) -> None:
    try:
        writer.commit()
    except (OSError, ValueError) as error:
        raise unwritable(error) from error


def add(writer: tantivy.IndexWriter, write: Prepared, refused: Refusals) -> None:
    """Add a document; one that the engine does not take is named in `refused`."""
    try:
        writer.add_json(write.payload.decode())
    except (OSError, ValueError) as error:
        if not any(words in str(error) for words in _UNPARSED):
            raise unwritable(error) from error
        refused[write.id] = reason_of(error)


def replace_newer(index: tantivy.Index, writes: Iterable[Prepared]) -> Refusals:
    """Bring an index to the newest of what it holds and of what is given, in one commit."""
    refused: Refusals = {}
    wanted = newest(writes)
    known = write_orders(index.searcher(), list(wanted))
    due = [write for write in wanted.values() if write.order >= known.get(write.id, -1)]
    with writing_to(index) as writer:
        for write in due:
            writer.delete_documents_by_term(fields.ID, write.id)
            add(writer, write, refused)
    return refused


def write_orders(searcher: tantivy.Searcher, ids: list[int]) -> dict[int, int]:
    """Return id -> order of the write that the index holds, of those it knows."""
    query = compile_clause(Terms(fields.ID, tuple(ids)))
    found = searcher.search(query, max(1, len(ids)), False)
    addresses = [address for _, address in found.hits]
    known = searcher.fast_field_values(fields.ID, addresses)
    orders = searcher.fast_field_values("write_order", addresses)
    return {int(i or 0): int(order or 0) for i, order in zip(known, orders, strict=True)}


class TantivyBuild:
    """An `IndexBuild`. Documents come once each and by rising id: none is looked up."""

    def __init__(self, folder: IndexFolder, name: str, index: tantivy.Index) -> None:
        self._folder, self._name, self._index = folder, name, index
        self._stands_at = self._last = _highest_id(index.searcher())
        self._writer: tantivy.IndexWriter | None = None
        self._uncommitted = 0

    @property
    def stands_at(self) -> int:
        return self._stands_at

    def add(self, writes: Sequence[Prepared], upto: int) -> Refusals:
        refused: Refusals = {}
        writer = self._open_writer()
        late: list[Prepared] = []
        for write in writes:
            if write.id <= self._last:
                late.append(write)
                continue
            add(writer, write, refused)
            self._last = write.id
        if late:
            with self._folder.writing():
                self._folder.journal(self._name).append(late)
        self._uncommitted += len(writes)
        if self._uncommitted >= _COMMIT_EVERY:
            commit(writer)
            self._stands_at, self._uncommitted = upto, 0
        return refused

    def _open_writer(self) -> tantivy.IndexWriter:
        if self._writer is None:
            try:
                self._writer = self._index.writer(_BUILD_HEAP_BYTES, 1)
            except (OSError, ValueError) as error:
                raise unwritable(error) from error
        return self._writer

    def publish(self) -> int:
        commit(self._open_writer())
        self.close()
        done = self._replay("")  # what is long there, while writers go on
        with self._folder.writing():
            self._replay(done)
            self._index.reload()
            held = _count(self._index.searcher(), Terms(fields.LIVE, ("yes",)))
            self._folder.publish(self._name)
        return held

    def _replay(self, after: str) -> str:
        """Take over what was kept after one batch; return the last one."""
        journal = self._folder.journal(self._name)
        for name in journal.names_after(after):
            self._index.reload()
            replace_newer(self._index, journal.read(name))
            after = name
        return after

    def abandon(self) -> None:
        self._close_unfinished()
        with self._folder.writing():
            self._folder.discard(self._name)

    def close(self) -> None:
        """Let the writer go; what is committed stays."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.wait_merging_threads()

    def _close_unfinished(self) -> None:
        if self._writer is not None:
            self._writer.rollback()
        self.close()


def _count(searcher: tantivy.Searcher, clause: Clause) -> int:
    return total_of(searcher.search(compile_clause(clause), 1))


def _highest_id(searcher: tantivy.Searcher) -> int:
    query = compile_clause(Everything())
    found = searcher.search(query, 1, False, fields.ID, 0, Order.Desc)
    return int(found.hits[0][0]) if found.hits else BEFORE_ALL
