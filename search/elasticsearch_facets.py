"""Exact facet counts from filter and terms aggregations, on one shard or several."""

from __future__ import annotations

from search.clauses import AllOf
from search.elasticsearch_compiler import Body, compile_clause
from search.query import SearchQuery
from search.request import FacetCount, SearchRequest

_ALL = 65_000  # the most buckets one aggregation may hold


def facet_body(request: SearchRequest, query: SearchQuery, *, shards: int = 1) -> Body:
    """Return the search that counts each facet under all filters but its own."""
    everything = (*query.matched, *query.filters)
    aggregations: Body = {}
    for ask in request.facets:
        others = tuple(clause for name, clause in query.facet_filters.items() if name != ask.name)
        terms: Body = {
            "field": f"facets.{ask.name}",
            "size": max(1, ask.limit),
            "order": [{"_count": "desc"}, {"_key": "asc"}],
        }
        if shards > 1:  # every shard must report all its codes, or counts would be short
            terms["shard_size"] = _ALL
        aggregations[ask.name] = {
            "filter": compile_clause(AllOf((), filters=others)),
            "aggs": {"codes": {"terms": terms}},
        }
    query_body = compile_clause(AllOf((), filters=everything))
    return {"query": query_body, "size": 0, "aggs": aggregations}


def read_facets(request: SearchRequest, response: Body) -> dict[str, tuple[FacetCount, ...]]:
    found = response["aggregations"]
    return {
        ask.name: tuple(
            FacetCount(bucket["key"], bucket["doc_count"])
            for bucket in found[ask.name]["codes"]["buckets"][: ask.limit]
        )
        for ask in request.facets
    }
