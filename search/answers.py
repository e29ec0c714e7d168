"""What every engine does alike around its own look-up: relaxing, walks, suggestions."""

from __future__ import annotations

from dataclasses import replace

from search.cursors import Cursor, read_cursor
from search.lookups import Answer, Lookups
from search.query import STRICTNESS, SearchQuery, build_query, can_relax
from search.request import (
    Correction,
    SearchRequest,
    SearchResult,
    Sort,
)
from search.speller import Speller

NEXT_TO_NOTHING = 2  # hits; then a misspelt word is looked for
FEW = 9  # hits, less than a first page; then entries that hold some of the words come after them


def answer_request(
    request: SearchRequest, labels: frozenset[str], lookups: Lookups
) -> SearchResult:
    """Return the result of the strictest reading of the words that finds anything.

    Pinyin is read as Chinese besides; where next to nothing is found, misspelt words are mended;
    where nothing is, not every word need occur; where few entries hold every word, others that
    hold some come after them. None of that depends on a facet filter: counts would not be what
    filtering then returns.
    """
    walk = _walk(request)
    speller = Speller(request, labels, lookups)
    strictness = walk.strictness if walk else 0
    corrected = speller.pinyin()
    mended, loosely, whole = False, bool(walk and walk.loosely), None
    while True:
        asked = replace(request, words=f"{request.words} {corrected}") if corrected else request
        query = build_query(request, labels, strictness, corrected, loosely=loosely)
        found = lookups.answer(asked, query, walk.last_id if walk else None)
        if loosely:
            break
        total = _unfiltered_total(request, labels, query, found, lookups)
        if not mended and total <= NEXT_TO_NOTHING and not corrected:
            mended = True
            corrected = speller.mended(total)
            if corrected:
                continue
        if not _may_relax(request, corrected, strictness, walk):
            break
        if total:
            loosely = total <= FEW and _takes_some(request)
            if not loosely:
                break
            whole = found.total if strictness == 0 else None
        else:
            strictness += 1
    return SearchResult(
        total=found.total,
        hits=found.hits,
        facets=found.facets,
        next_cursor=_next(request, found, strictness, loosely=loosely),
        relaxed=strictness > 0 and found.total > 0,
        whole=whole if whole != found.total else None,
        correction=Correction(request.words, corrected) if corrected else None,
    )


def _unfiltered_total(
    request: SearchRequest,
    labels: frozenset[str],
    query: SearchQuery,
    found: Answer,
    lookups: Lookups,
) -> int:
    """Return how many entries the words find without the facet filters."""
    if found.total > FEW or not query.facet_filters:
        return found.total
    unfiltered = replace(request, filters={}, facets=(), start=0, rows=0, after=None)
    return lookups.answer(unfiltered, replace(query, facet_filters={}), None).total


def _walk(request: SearchRequest) -> Cursor | None:
    if request.after is None:
        return None
    return read_cursor(request.after) if request.after else Cursor(0, -(2**60))


def _may_relax(
    request: SearchRequest, corrected: str, strictness: int, walk: Cursor | None
) -> bool:
    begun = bool(walk and request.after)
    return not begun and strictness + 1 < STRICTNESS and can_relax(corrected or request.words)


def _takes_some(request: SearchRequest) -> bool:
    """Say whether entries that hold only some of the words may follow those that hold all.

    In another order than that of relevance they would stand among them.
    """
    by_relevance = request.sort is Sort.RELEVANCE
    return by_relevance and request.question is None and not request.strictly


def _next(request: SearchRequest, found: Answer, strictness: int, *, loosely: bool) -> str | None:
    if request.after is None or not found.hits or len(found.hits) < request.rows:
        return None
    return str(Cursor(strictness, found.hits[-1].id, loosely))


def sort_of(request: SearchRequest) -> tuple[Sort, bool]:
    """Return the sort field's order, and whether it is read backwards."""
    if request.sort is Sort.RELEVANCE:
        return Sort.VALUE, False
    # The keys of titles run from A to Z, all others from the highest down.
    return request.sort, request.descending is (request.sort is Sort.TITLE)
