"""What every engine does alike around its own look-up: relaxing, walks, suggestions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from search.clauses import Clause, Prefix
from search.cursors import Cursor, read_cursor
from search.fields import STARTS
from search.query import STRICTNESS, SearchQuery, build_query, can_relax
from search.request import (
    Correction,
    FacetCount,
    SearchHit,
    SearchRequest,
    SearchResult,
    Sort,
)
from search.spelling import Reading, mend, read_pinyin
from search.suggestions import visible
from search.vocabulary import Vocabulary

NEXT_TO_NOTHING = 2  # hits; then a misspelt word is looked for
FEW = 9  # hits, less than a first page; then entries that hold some of the words come after them
_CERTAIN = 20  # entries that must hold a mended word where the words as typed find a few
_TITLES = 20
_LONGEST_MENDED = 100  # characters of a query
_LATIN = re.compile(r"[A-Za-zÀ-ɏＡ-ｚ]{2}")


@dataclass(frozen=True)
class Answer:
    """What an engine found for one neutral query."""

    total: int
    hits: tuple[SearchHit, ...]
    facets: Mapping[str, tuple[FacetCount, ...]]


@dataclass(frozen=True)
class Lookups:
    """What an engine looks up.

    `answer` looks one query up; its last argument is the id after which a walk goes on, or None.
    `most_valuable` returns the records of so many entries that match a clause.
    `vocabulary` gives the words of the index's public entries.
    """

    answer: Callable[[SearchRequest, SearchQuery, int | None], Answer]
    most_valuable: Callable[[Clause, int], list[Mapping[str, Any]]]
    vocabulary: Callable[[], Vocabulary]


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
            loosely = strictness == 0 and total <= FEW and _takes_some(request)
            if not loosely:
                break
            whole = found.total
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


class Speller:
    """Reads the words of one request otherwise, for one viewer.

    A word that was not typed is used only if the viewer may open an entry that holds it: what is
    denied to them, or has become so a moment ago, is told by no correction.
    """

    def __init__(self, request: SearchRequest, labels: frozenset[str], lookups: Lookups):
        self._request = request
        self._labels = labels
        self._lookups = lookups

    def pinyin(self) -> str:
        """Return the words with their pinyin as Chinese; empty where there is none."""
        if self._is_left_alone() or not _LATIN.search(self._request.words):
            return ""
        return self._used(read_pinyin(self._request.words, self._lookups.vocabulary()))

    def mended(self, total: int) -> str:
        """Return the words as they were probably meant, where they find `total` entries."""
        if self._is_left_alone():
            return ""
        vocabulary = self._lookups.vocabulary()
        reading = mend(self._request.words, vocabulary, self._titles)
        if reading and total and min(map(vocabulary.count, reading.words)) < _CERTAIN:
            return ""
        return self._used(reading)

    def _is_left_alone(self) -> bool:
        request = self._request
        return (
            request.as_typed
            or request.question is not None
            or not 0 < len(request.words) <= _LONGEST_MENDED
        )

    def _used(self, reading: Reading | None) -> str:
        if reading is None or not all(map(self._is_findable, reading.words)):
            return ""
        return reading.used

    def _is_findable(self, word: str) -> bool:
        asked = SearchRequest(
            word, excluded_ids=self._request.excluded_ids, rows=0, as_typed=True, thesaurus=False
        )
        return bool(self._lookups.answer(asked, build_query(asked, self._labels), None).total)

    def _titles(self, beginning: str) -> list[tuple[str, str]]:
        starts = Prefix(STARTS, beginning)
        clause = visible(starts, self._labels, self._request.excluded_ids)
        records = self._lookups.most_valuable(clause, _TITLES)
        return [(record["title"], record["sounds"]) for record in records]
