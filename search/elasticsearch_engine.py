"""The Elasticsearch engine: one alias on a cluster that many processes share."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import orjson
from elasticsearch import Elasticsearch

from search import fields
from search.answers import answer_request, sort_of
from search.building import BEFORE_ALL, build_whole, prepare_all
from search.clauses import AllOf, Clause, Range, Terms
from search.document import SearchDocument
from search.elasticsearch_build import ElasticsearchBuild
from search.elasticsearch_compiler import Body, compile_clause, with_value
from search.elasticsearch_facets import facet_body, read_facets
from search.elasticsearch_indexes import AliasedIndex, answering, read
from search.elasticsearch_layout import IndexLayout
from search.elasticsearch_mapping import body_of, tombstone
from search.engine import IndexedVersion, SearchUnavailable
from search.kept_vocabulary import KeptVocabulary
from search.lookups import Answer, Lookups
from search.prepared import Prepared, Refusals, newest
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
from search.vocabulary import MOST_WORDS, Vocabulary

_PAGE = 5_000
_TIMEOUT_SECONDS = 5.0
# An answer from some of the shards would be a catalogue that shrank: rather none.
_WHOLE = {"allow_partial_search_results": False}
_LOOK_AGAIN_SECONDS = 1.0  # for words that other processes wrote
_TRIES = 3  # a rebuild may remove the index that a search is just reading; the alias has a new one


class ElasticsearchEngine:
    """A `SearchEngine` on an Elasticsearch 8 cluster, behind the alias `index`.

    Args:
        url: the cluster's address, or those of several of its nodes: one that does not answer is
            left out for a while, and what it was asked goes to the next.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        index: str = "xiangyun",
        layout: IndexLayout = IndexLayout(),
    ):
        hosts = [url] if isinstance(url, str) else list(url)
        self._client = Elasticsearch(
            hosts,
            request_timeout=_TIMEOUT_SECONDS,
            max_retries=max(1, len(hosts)),
            retry_on_timeout=False,
            dead_node_backoff_factor=0.5,
            max_dead_node_backoff=5.0,
        )
        self._layout = layout
        self._index = AliasedIndex(self._client, index, layout)
        self._vocabulary = KeptVocabulary()
        self._writes = 0
        # Copies of a shard are refreshed one after the other: who asks the same one never sees less
        # than before.
        self._copy = uuid4().hex

    def search(self, request: SearchRequest, labels: frozenset[str]) -> SearchResult:
        with answering():
            self._index.ensure()
            lookups = Lookups(self._answer, self._most_valuable, self._words)
            return answer_request(request, labels, lookups)

    def suggest(
        self,
        typed: str,
        labels: frozenset[str],
        limit: int = 8,
        excluded_ids: frozenset[int] = frozenset(),
    ) -> tuple[Suggestion, ...]:
        clause = suggestion_clause(typed, labels, excluded_ids)
        if clause is None or limit < 1:
            return ()
        with answering():
            self._index.ensure()
            return tuple(map(suggestion_of, self._most_valuable(clause, limit)))

    def _most_valuable(self, clause: Clause, limit: int) -> list[Record]:
        body = {"query": compile_clause(clause), "size": limit, "sort": _order(Sort.VALUE)}
        found = self._many([body])[0]
        return [hit["_source"]["record"] for hit in found["hits"]["hits"]]

    def _words(self) -> Vocabulary:
        """Return the words of public entries; what other processes write is noticed by time."""
        state = (self._writes, int(time.monotonic() / _LOOK_AGAIN_SECONDS))
        return self._vocabulary.get(state, self._read_vocabulary)

    def _read_vocabulary(self) -> Vocabulary:
        body = {
            "query": compile_clause(Terms(fields.LABELS, ("public",))),
            "size": 0,
            "aggs": {"words": {"terms": {"field": fields.SPELLINGS, "size": MOST_WORDS}}},
        }
        with answering():
            buckets = self._many([body])[0]["aggregations"]["words"]["buckets"]
        return Vocabulary.of((one["key"], one["doc_count"]) for one in buckets)

    def prepare(self, document: SearchDocument) -> Prepared:
        payload = orjson.dumps(body_of(document), default=str)
        return Prepared(document.id, order_of(document.version, removed=False), payload)

    def prepare_removal(self, entry_id: int, version: int) -> Prepared:
        order = order_of(version, removed=True)
        return Prepared(entry_id, order, orjson.dumps(tombstone(entry_id)))

    def write(
        self, documents: Iterable[SearchDocument], removed: Iterable[tuple[int, int]]
    ) -> Refusals:
        writes, refused = prepare_all(self, documents, removed)
        if not writes:
            return refused
        with answering():
            self._index.ensure()
            self._writes += 1
            return refused | self._index.write(list(newest(writes).values()))

    def versions(self, ids: Collection[int] | None = None) -> Iterator[IndexedVersion]:
        wanted = () if ids is None else (Terms(fields.ID, tuple(ids)),)
        last = BEFORE_ALL
        while True:
            known = (Terms(fields.LIVE, ("yes",)), Range(fields.ID, last + 1), *wanted)
            body = {
                "query": compile_clause(AllOf((), filters=known)),
                "size": _PAGE,
                "sort": [{fields.ID: "asc"}],
                "_source": ["record.id", "record.version", "record.labels"],
            }
            with answering():
                self._index.ensure()
                hits = self._many([body])[0]["hits"]["hits"]
            for hit in hits:
                version = version_of(hit["_source"]["record"])
                last = version.id
                yield version
            if len(hits) < _PAGE:
                return

    @contextmanager
    def build(self, *, resume: bool = True) -> Iterator[ElasticsearchBuild]:
        with answering():
            build = ElasticsearchBuild(self._index, *self._index.begin_build(resume=resume))
        yield build

    def rebuild(
        self, documents: Iterable[SearchDocument], removed: Iterable[tuple[int, int]] = ()
    ) -> int:
        return build_whole(self, documents, removed)

    def is_full(self) -> bool:
        with answering():
            return self._index.is_blocked()

    def ping(self) -> None:
        with answering():
            self._client.cluster.health(timeout="2s")

    def close(self) -> None:
        self._client.close()

    def _many(self, bodies: list[Body]) -> list[Body]:
        """Run several searches in one round trip."""
        searches: list[Body] = []
        for body in bodies:
            searches += [
                {**self._layout.search_header(), **_WHOLE, "preference": self._copy},
                {"track_total_hits": True, **body},
            ]
        for _ in range(_TRIES):
            answer = read(self._client.msearch(index=self._index.alias, searches=searches))
            responses: list[Body] = answer["responses"]
            failed = [r for r in responses if "error" in r or r["_shards"]["failed"]]
            if not failed:
                return responses
        reason = failed[0].get("error", failed[0].get("_shards"))
        self._index.forget()
        raise SearchUnavailable(f"Elasticsearch cannot answer: {reason}")

    def _answer(self, request: SearchRequest, query: SearchQuery, after_id: int | None) -> Answer:
        counting = (
            [facet_body(request, query, shards=self._layout.shards)] if request.facets else []
        )
        everything = (*query.matched, *query.all_filters())
        if after_id is not None:
            bodies = _walk_bodies(request, everything, after_id)
        elif request.sort is not Sort.RELEVANCE or query.text is None:
            bodies = [_sorted_body(request, everything)]
        else:
            bodies = _tier_bodies(request, query)
        if request.bare:
            bodies = [{**body, "_source": [f"record.{name}" for name in BARE]} for body in bodies]
        found = self._many(bodies + counting)
        facets = read_facets(request, found[-1]) if counting else {}
        if after_id is None and len(bodies) > 1:
            total, hits = self._tiers(request, bodies, found)
        else:
            total, hits = _total(found[len(bodies) - 1]), _hits(request, query, found[0])
        return Answer(total, hits, facets)

    def _tiers(
        self, request: SearchRequest, bodies: list[Body], found: list[Body]
    ) -> tuple[int, tuple[SearchHit, ...]]:
        """Put the page together from all tiers; each was asked for as if those before it were
        empty, which is right for most pages and else asked again."""
        before = 0
        scored: list[tuple[Body, bool]] = []
        for tier, body in enumerate(bodies):
            rest = found[tier]
            if before and request.start:
                rest = self._many([{**body, "from": max(0, request.start - before)}])[0]
            scored += [(hit, tier == 0) for hit in rest["hits"]["hits"]]
            before += _total(rest)
        hits = tuple(
            hit_of(hit["_source"]["record"], request, hit["_score"], exact=is_exact)
            for hit, is_exact in scored[: request.rows]
        )
        return before, hits


def _total(response: Body) -> int:
    return int(response["hits"]["total"]["value"])


def _order(sort: Sort, *, mirrored: bool = False) -> list[dict[str, Any]]:
    return [{fields.SORT_FIELDS[sort]: "desc" if mirrored else "asc"}]


def _walk_bodies(request: SearchRequest, filters: tuple[Clause, ...], after_id: int) -> list[Body]:
    rest = compile_clause(AllOf((), filters=(*filters, Range(fields.ID, after_id + 1))))
    return [
        {"query": rest, "size": request.rows, "sort": [{fields.ID: "asc"}]},
        {"query": compile_clause(AllOf((), filters=filters)), "size": 0},
    ]


def _sorted_body(request: SearchRequest, filters: tuple[Clause, ...]) -> Body:
    query = compile_clause(AllOf((), filters=filters))
    sort, mirrored = sort_of(request)
    return {
        "query": query,
        "from": request.start,
        "size": request.rows,
        "sort": _order(sort, mirrored=mirrored),
    }


def _tier_bodies(request: SearchRequest, query: SearchQuery) -> list[Body]:
    return [
        {
            "query": with_value(compile_clause(tier), request.beta),
            "from": request.start,
            "size": request.rows,
            "sort": [{"_score": "desc"}, *_order(Sort.VALUE)],
        }
        for tier in query.tiers()
    ]


def _hits(request: SearchRequest, query: SearchQuery, response: Body) -> tuple[SearchHit, ...]:
    browsing = query.text is None and request.sort is Sort.RELEVANCE and request.after is None
    records = (hit["_source"]["record"] for hit in response["hits"]["hits"])
    return tuple(
        hit_of(record, request, browsing_score(record, request) if browsing else None)
        for record in records
    )
