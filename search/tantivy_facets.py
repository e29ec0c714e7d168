"""Exact facet counts from tantivy's term aggregations."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import tantivy

from search.clauses import AllOf
from search.query import SearchQuery
from search.request import FacetAsk, FacetCount, SearchRequest
from search.tantivy_compiler import compile_clause
from search.tantivy_schema import FACET_MARK

_ALL = 65_000  # the most buckets one aggregation may hold


def count_facets(
    searcher: tantivy.Searcher, request: SearchRequest, query: SearchQuery
) -> dict[str, tuple[FacetCount, ...]]:
    """Return the counts of each facet asked for, without the facet's own filter."""
    # Facets that have no filter of their own share one pass over the hits.
    passes: dict[str | None, list[FacetAsk]] = defaultdict(list)
    for ask in request.facets:
        passes[ask.name if ask.name in query.facet_filters else None].append(ask)
    counts: dict[str, tuple[FacetCount, ...]] = {}
    for own, asks in passes.items():
        filters = (*query.matched, *query.all_filters(but=own))
        compiled = compile_clause(AllOf((), filters=filters))
        counts.update(_count(searcher, compiled, asks))
    return {ask.name: counts[ask.name] for ask in request.facets}


def _terms(ask: FacetAsk, size: int) -> dict[str, Any]:
    field = f"facets.{ask.name}"
    # Every segment must report all its codes, or counts would be short.
    return {"terms": {"field": field, "size": size, "segment_size": _ALL}}


def _count(
    searcher: tantivy.Searcher, compiled: tantivy.Query, asks: list[FacetAsk]
) -> dict[str, tuple[FacetCount, ...]]:
    sizes = {ask.name: 2 * ask.limit + 20 for ask in asks}
    found = searcher.aggregate(compiled, {a.name: _terms(a, sizes[a.name]) for a in asks})
    counts: dict[str, tuple[FacetCount, ...]] = {}
    for ask in asks:
        buckets = found[ask.name]["buckets"]
        if _is_cut_in_a_tie(buckets, ask.limit, sizes[ask.name]):
            again = searcher.aggregate(compiled, {ask.name: _terms(ask, _ALL)})
            buckets = again[ask.name]["buckets"]
        ordered = sorted(
            (-bucket["doc_count"], bucket["key"].removeprefix(FACET_MARK)) for bucket in buckets
        )
        counts[ask.name] = tuple(FacetCount(code, -n) for n, code in ordered[: ask.limit])
    return counts


def _is_cut_in_a_tie(buckets: list[Any], limit: int, size: int) -> bool:
    """Say whether codes left out have the same count as the last one shown (ties go by code)."""
    if len(buckets) < size or limit == 0:
        return False
    return bool(buckets[limit - 1]["doc_count"] == buckets[-1]["doc_count"])
