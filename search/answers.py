"""What every engine does alike around its own look-up: relaxing, walks, suggestions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from search import analysis
from search.clauses import AllOf, AnyOf, Clause, Not, Prefix, Terms
from search.cursors import Cursor, read_cursor
from search.fields import ID, LABELS, STARTS
from search.query import STRICTNESS, SearchQuery, build_query, can_relax
from search.request import FacetCount, SearchHit, SearchRequest, SearchResult, Sort


@dataclass(frozen=True)
class Answer:
    """What an engine found for one neutral query."""

    total: int
    hits: tuple[SearchHit, ...]
    facets: Mapping[str, tuple[FacetCount, ...]]


def answer_request(
    request: SearchRequest,
    labels: frozenset[str],
    answer: Callable[[SearchRequest, SearchQuery, int | None], Answer],
) -> SearchResult:
    """Return the result of the strictest reading of the words that finds anything.

    `answer` looks one query up; its last argument is the id after which a walk goes on, or None.
    How strictly words are read depends on no facet filter: counts would not be what filtering
    then returns.
    """
    walk = _walk(request)
    strictness = walk.strictness if walk else 0
    while True:
        query = build_query(request, labels, strictness)
        found = answer(request, query, walk.last_id if walk else None)
        if found.total or not _may_relax(request, strictness, walk):
            break
        if query.facet_filters:
            unfiltered = replace(request, filters={}, facets=(), start=0, rows=0, after=None)
            if answer(unfiltered, build_query(unfiltered, labels, strictness), None).total:
                break
        strictness += 1
    return SearchResult(
        total=found.total,
        hits=found.hits,
        facets=found.facets,
        next_cursor=_next(request, found, strictness),
        relaxed=strictness > 0 and found.total > 0,
    )


def _walk(request: SearchRequest) -> Cursor | None:
    if request.after is None:
        return None
    return read_cursor(request.after) if request.after else Cursor(0, -(2**60))


def _may_relax(request: SearchRequest, strictness: int, walk: Cursor | None) -> bool:
    begun = bool(walk and request.after)
    return not begun and strictness + 1 < STRICTNESS and can_relax(request.words)


def _next(request: SearchRequest, found: Answer, strictness: int) -> str | None:
    if request.after is None or not found.hits or len(found.hits) < request.rows:
        return None
    return str(Cursor(strictness, found.hits[-1].id))


def sort_of(request: SearchRequest) -> tuple[Sort, bool]:
    """Return the sort field's order, and whether it is read backwards."""
    if request.sort is Sort.RELEVANCE:
        return Sort.VALUE, False
    # The keys of titles run from A to Z, all others from the highest down.
    return request.sort, request.descending is (request.sort is Sort.TITLE)


def suggestion_clause(
    typed: str, labels: frozenset[str], excluded_ids: frozenset[int]
) -> Clause | None:
    """Return what a suggestion must fulfil; None when nothing was typed."""
    beginning = analysis.exact_key(typed).replace(" ", "")[:40]
    if not beginning:
        return None
    starts = tuple(Prefix(STARTS, kind + beginning) for kind in ("t:", "p:", "i:"))
    hidden = (Not(Terms(ID, tuple(sorted(excluded_ids)))),) if excluded_ids else ()
    visible = Terms(LABELS, tuple(sorted(labels)))
    return AllOf((), filters=(AnyOf(starts), visible, *hidden))
