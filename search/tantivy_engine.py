"""The embedded engine: an index in a folder, many reading processes, one writer at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import tantivy
from tantivy import Order

from search import fields
from search.answers import Answer, answer_request, sort_of, suggestion_clause
from search.clauses import AllOf, Clause, Range, Terms
from search.document import SearchDocument
from search.engine import IndexedVersion, SearchUnavailable
from search.query import SearchQuery
from search.records import (
    Record,
    browsing_score,
    hit_of,
    newest,
    order_of,
    suggestion_of,
    version_of,
)
from search.request import SearchHit, SearchRequest, SearchResult, Sort, Suggestion
from search.tantivy_compiler import compile_clause
from search.tantivy_facets import count_facets
from search.tantivy_folder import IndexFolder
from search.tantivy_ranking import ranked_page, total_of
from search.tantivy_schema import body_of, tombstone

_WRITE_HEAP_BYTES = 30_000_000
_PAGE = 1_000


class TantivyEngine:
    """A `SearchEngine` in a folder of its own."""

    def __init__(self, folder: Path):
        self._folder = IndexFolder(folder)

    def search(self, request: SearchRequest, labels: frozenset[str]) -> SearchResult:
        searcher = self._folder.searcher()

        def answer(asked: SearchRequest, query: SearchQuery, after_id: int | None) -> Answer:
            if searcher is None:
                return Answer(0, (), {ask.name: () for ask in asked.facets})
            return _answer(searcher, asked, query, after_id)

        return answer_request(request, labels, answer)

    def suggest(
        self,
        typed: str,
        labels: frozenset[str],
        limit: int = 8,
        excluded_ids: frozenset[int] = frozenset(),
    ) -> tuple[Suggestion, ...]:
        searcher = self._folder.searcher()
        clause = suggestion_clause(typed, labels, excluded_ids)
        if searcher is None or clause is None or limit < 1:
            return ()
        query = compile_clause(clause)
        found = searcher.search(query, limit, False, fields.SORT_FIELDS[Sort.VALUE], 0, Order.Asc)
        return tuple(suggestion_of(_record(searcher, address)) for _, address in found.hits)

    def write(
        self, documents: Iterable[SearchDocument], removed: Iterable[tuple[int, int]]
    ) -> None:
        writes = newest(documents, removed)
        if not writes:
            return
        with self._folder.writing():
            index = self._folder.live()
            known = _write_orders(index.searcher(), list(writes))
            due = {i: write for i, write in writes.items() if write[0] >= known.get(i, -1)}
            with _writer(index) as writer:
                for entry_id, (order, document) in due.items():
                    writer.delete_documents_by_term(fields.ID, entry_id)
                    made = tombstone(entry_id, order) if document is None else body_of(document)
                    writer.add_json(orjson.dumps(made).decode())

    def versions(self) -> Iterator[IndexedVersion]:
        searcher = self._folder.searcher()
        if searcher is None:
            return
        last = -(2**62)
        while True:
            clause = AllOf((), filters=(Terms(fields.LIVE, ("yes",)), Range(fields.ID, last + 1)))
            query = compile_clause(clause)
            found = searcher.search(query, _PAGE, False, fields.ID, 0, Order.Asc)
            for entry_id, address in found.hits:
                yield version_of(_record(searcher, address))
                last = entry_id
            if len(found.hits) < _PAGE:
                return

    def rebuild(
        self, documents: Iterable[SearchDocument], removed: Iterable[tuple[int, int]] = ()
    ) -> int:
        with self._folder.writing():
            name, index = self._folder.new_generation()
            try:
                held = _fill(index, documents, removed)
                self._folder.publish(name)
            except BaseException:
                self._folder.discard(name)
                raise
            return held

    def ping(self) -> None:
        self._folder.searcher()

    def close(self) -> None:
        self._folder.close()


@contextmanager
def _writer(index: tantivy.Index) -> Iterator[tantivy.IndexWriter]:
    """A writer for one batch: commits at the end, gives the index free in any case."""
    try:
        writer = index.writer(_WRITE_HEAP_BYTES, 1)
    except (OSError, ValueError) as error:
        raise SearchUnavailable(f"the search index cannot be written: {error}") from error
    try:
        yield writer
        try:
            writer.commit()
        except (OSError, ValueError) as error:
            raise SearchUnavailable(f"the search index cannot be written: {error}") from error
    except BaseException:
        writer.rollback()
        raise
    finally:
        writer.wait_merging_threads()


def _fill(
    index: tantivy.Index, documents: Iterable[SearchDocument], removed: Iterable[tuple[int, int]]
) -> int:
    """Add all documents, of repeated ones the newest; return how many entries they are."""
    seen: dict[int, int] = {}
    with _writer(index) as writer:
        for document in documents:
            if document.version < seen.get(document.id, -1):
                continue
            if document.id in seen:
                writer.delete_documents_by_term(fields.ID, document.id)
            seen[document.id] = document.version
            writer.add_json(orjson.dumps(body_of(document)).decode())
        for entry_id, version in removed:
            if version < seen.get(entry_id, -1):
                continue
            if seen.pop(entry_id, None) is not None:
                writer.delete_documents_by_term(fields.ID, entry_id)
            made = tombstone(entry_id, order_of(version, removed=True))
            writer.add_json(orjson.dumps(made).decode())
    return len(seen)


def _write_orders(searcher: tantivy.Searcher, ids: list[int]) -> dict[int, int]:
    query = compile_clause(Terms(fields.ID, tuple(ids)))
    found = searcher.search(query, max(1, len(ids)), False)
    addresses = [address for _, address in found.hits]
    known = searcher.fast_field_values(fields.ID, addresses)
    orders = searcher.fast_field_values("write_order", addresses)
    return {int(i or 0): int(order or 0) for i, order in zip(known, orders, strict=True)}


def _record(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> Record:
    record: Record = orjson.loads(searcher.doc(address)["record"][0])
    return record


def _answer(
    searcher: tantivy.Searcher, request: SearchRequest, query: SearchQuery, after_id: int | None
) -> Answer:
    facets = count_facets(searcher, request, query)
    everything = (*query.matched, *query.all_filters())
    if after_id is not None:
        total, hits = _walked(searcher, request, everything, after_id)
    elif request.sort is not Sort.RELEVANCE or query.text is None:
        total, hits = _sorted(searcher, request, everything)
    else:
        total, hits = _tiers(searcher, request, query)
    return Answer(total, hits, facets)


def _count(searcher: tantivy.Searcher, filters: tuple[Clause, ...]) -> int:
    return total_of(searcher.search(compile_clause(AllOf((), filters=filters)), 1))


def _walked(
    searcher: tantivy.Searcher, request: SearchRequest, filters: tuple[Clause, ...], after_id: int
) -> tuple[int, tuple[SearchHit, ...]]:
    rest = (*filters, Range(fields.ID, after_id + 1))
    clause = compile_clause(AllOf((), filters=rest))
    found = searcher.search(clause, max(1, request.rows), False, fields.ID, 0, Order.Asc)
    records = (_record(searcher, address) for _, address in found.hits[: request.rows])
    return _count(searcher, filters), tuple(hit_of(record, request, None) for record in records)


def _sorted(
    searcher: tantivy.Searcher, request: SearchRequest, filters: tuple[Clause, ...]
) -> tuple[int, tuple[SearchHit, ...]]:
    sort, mirrored = sort_of(request)
    found = searcher.search(
        compile_clause(AllOf((), filters=filters)),
        max(1, request.rows),
        True,
        fields.SORT_FIELDS[sort],
        request.start,
        Order.Desc if mirrored else Order.Asc,
    )
    records = [_record(searcher, address) for _, address in found.hits[: request.rows]]
    browsing = request.sort is Sort.RELEVANCE
    return total_of(found), tuple(
        hit_of(record, request, browsing_score(record, request) if browsing else None)
        for record in records
    )


def _tiers(
    searcher: tantivy.Searcher, request: SearchRequest, query: SearchQuery
) -> tuple[int, tuple[SearchHit, ...]]:
    """Return the page over all tiers."""
    total = 0
    hits: list[SearchHit] = []
    for tier, clause in enumerate(query.tiers()):
        start = max(0, request.start - total)
        rows = request.rows - len(hits)
        page = ranked_page(searcher, clause, start, rows, request.beta)
        total += page.total
        hits += [
            hit_of(_record(searcher, address), request, score, exact=tier == 0)
            for score, address in page.hits
        ]
    return total, tuple(hits)
