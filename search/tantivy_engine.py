"""The embedded engine: an index in a folder, many reading processes, one writer at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson
import tantivy
from tantivy import DocAddress, Order

from search import fields
from search.answers import answer_request, sort_of
from search.building import BEFORE_ALL, build_whole, prepare_all
from search.clauses import AllOf, Clause, Range, Terms
from search.document import SearchDocument
from search.engine import IndexedVersion
from search.kept_answers import KeptAnswers
from search.kept_vocabulary import KeptVocabulary
from search.lexicon import lexicon
from search.lookups import Answer, Lookups
from search.prepared import Prepared, Refusals
from search.query import SearchQuery
from search.records import (
    BARE,
    Record,
    browsing_score,
    hit_of,
    order_of,
    suggestion_of,
    version_of,
)
from search.request import SearchHit, SearchRequest, SearchResult, Sort, Suggestion
from search.suggestions import suggestion_clause
from search.tantivy_build import TantivyBuild, replace_newer
from search.tantivy_compiler import compile_clause
from search.tantivy_facets import count_facets
from search.tantivy_folder import IndexFolder, unwritable
from search.tantivy_ranking import ranked_page, record_at, total_of
from search.tantivy_schema import FORMAT, body_of, tombstone
from search.vocabulary import MOST_WORDS, Vocabulary

_PAGE = 5_000


class TantivyEngine:
    """A `SearchEngine` in a folder of its own."""

    def __init__(self, folder: Path):
        self._folder = IndexFolder(folder)
        self._kept = KeptAnswers()
        self._vocabulary = KeptVocabulary()

    def search(self, request: SearchRequest, labels: frozenset[str]) -> SearchResult:
        state, searcher = self._folder.state_and_searcher()

        def answer(asked: SearchRequest, query: SearchQuery, after_id: int | None) -> Answer:
            if searcher is None:
                return Answer(0, (), {ask.name: () for ask in asked.facets})
            return _answer(searcher, asked, query, after_id)

        def records(clause: Clause, limit: int) -> list[Record]:
            return _most_valuable(searcher, clause, limit) if searcher is not None else []

        def vocabulary() -> Vocabulary:
            return self._vocabulary.get(state, lambda: _read_vocabulary(searcher))

        lookups = Lookups(answer, records, vocabulary)
        return self._kept.get(
            (state, lexicon().number),
            request,
            labels,
            lambda: answer_request(request, labels, lookups),
        )

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
        return tuple(map(suggestion_of, _most_valuable(searcher, clause, limit)))

    def prepare(self, document: SearchDocument) -> Prepared:
        payload = orjson.dumps(body_of(document))
        return Prepared(document.id, order_of(document.version, removed=False), payload)

    def prepare_removal(self, entry_id: int, version: int) -> Prepared:
        order = order_of(version, removed=True)
        return Prepared(entry_id, order, orjson.dumps(tombstone(entry_id, order)))

    def write(
        self, documents: Iterable[SearchDocument], removed: Iterable[tuple[int, int]]
    ) -> Refusals:
        writes, refused = prepare_all(self, documents, removed)
        if not writes:
            return refused
        with self._folder.writing():
            index = self._folder.live()
            journal = self._folder.journal_of_build()
            if journal is not None:
                # Kept before it is written: what is found must not vanish when the build goes live.
                try:
                    journal.append(writes)
                except OSError as error:
                    raise unwritable(error) from error
            return refused | replace_newer(index, writes)

    def versions(self, ids: Collection[int] | None = None) -> Iterator[IndexedVersion]:
        searcher = self._folder.searcher()
        if searcher is None:
            return
        wanted = () if ids is None else (Terms(fields.ID, tuple(ids)),)
        last = BEFORE_ALL
        while True:
            known = (Terms(fields.LIVE, ("yes",)), Range(fields.ID, last + 1), *wanted)
            query = compile_clause(AllOf((), filters=known))
            found = searcher.search(query, _PAGE, False, fields.ID, 0, Order.Asc)
            for entry_id, address in found.hits:
                yield version_of(record_at(searcher, address))
                last = entry_id
            if len(found.hits) < _PAGE:
                return

    @contextmanager
    def build(self, *, resume: bool = True) -> Iterator[TantivyBuild]:
        with self._folder.rebuilding():
            build = TantivyBuild(self._folder, *self._begin(resume=resume))
            try:
                yield build
            finally:
                build.close()

    def _begin(self, *, resume: bool) -> tuple[str, tantivy.Index]:
        """Return the generation to build: what is left of an earlier build, or a new one."""
        with self._folder.writing():
            name = self._folder.building()
            if name is not None and resume and name.startswith(f"{FORMAT}-"):
                with suppress(OSError, ValueError):
                    return name, self._folder.reopen(name)
            if name is not None:
                self._folder.discard(name)
            try:
                return self._folder.begin_building()
            except (OSError, ValueError) as error:
                raise unwritable(error) from error

    def rebuild(
        self, documents: Iterable[SearchDocument], removed: Iterable[tuple[int, int]] = ()
    ) -> int:
        return build_whole(self, documents, removed)

    def is_full(self) -> bool:
        return self._folder.is_full()

    def ping(self) -> None:
        self._folder.searcher()

    def close(self) -> None:
        self._folder.close()


def _records(
    searcher: tantivy.Searcher, request: SearchRequest, found: Sequence[tuple[Any, DocAddress]]
) -> list[Record]:
    """Return the records of hits; for bare ones out of columns, which spares reading documents."""
    addresses = [address for _, address in found]
    if not request.bare:
        return [record_at(searcher, address) for address in addresses]
    ids = searcher.fast_field_values(fields.ID, addresses)
    values = searcher.fast_field_values("value_score", addresses)
    return [
        dict(zip(BARE, (entry_id, value or 0.0), strict=True))
        for entry_id, value in zip(ids, values, strict=True)
    ]


def _most_valuable(searcher: tantivy.Searcher, clause: Clause, limit: int) -> list[Record]:
    query = compile_clause(clause)
    found = searcher.search(query, limit, False, fields.SORT_FIELDS[Sort.VALUE], 0, Order.Asc)
    return [record_at(searcher, address) for _, address in found.hits]


def _read_vocabulary(searcher: tantivy.Searcher | None) -> Vocabulary:
    """Return the words of public entries, out of the index's column of them."""
    if searcher is None:
        return Vocabulary.of(())
    public = compile_clause(Terms(fields.LABELS, ("public",)))
    terms = {"field": fields.SPELLINGS, "size": MOST_WORDS, "segment_size": MOST_WORDS}
    found = searcher.aggregate(public, {"words": {"terms": terms}})
    return Vocabulary.of((one["key"], one["doc_count"]) for one in found["words"]["buckets"])


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
    records = _records(searcher, request, found.hits[: request.rows])
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
    records = _records(searcher, request, found.hits[: request.rows])
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
        if tier == 0 and not _has_exact(searcher, query):
            continue
        start = max(0, request.start - total)
        rows = request.rows - len(hits)
        page = ranked_page(searcher, clause, start, rows, request.beta)
        total += page.total
        records = _records(searcher, request, page.hits)
        hits += [
            hit_of(record, request, score, exact=tier == 0)
            for record, (score, _) in zip(records, page.hits, strict=True)
        ]
    return total, tuple(hits)


def _has_exact(searcher: tantivy.Searcher, query: SearchQuery) -> bool:
    """Say whether a title or code equals the words: most queries have none, and looking it up alone
    spares looking up every word."""
    assert query.exact is not None
    return total_of(searcher.search(compile_clause(query.exact), 1)) > 0
