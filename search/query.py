"""From a request to the neutral query that every engine compiles. Pure: no network, no engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from search import analysis
from search.clauses import (
    AllOf,
    AnyOf,
    Best,
    Boost,
    Clause,
    Colloquial,
    Not,
    Range,
    Terms,
    Text,
)
from search.conditions import depth_of, overlaps
from search.engine import SearchRefused
from search.facets import FACETS
from search.fields import CODE, DATES, EXACT, ID, LABELS, instant
from search.request import SearchRequest
from search.words import Everyday, analyse, everyday

DEEPEST = 10_000  # start + rows; beyond it, walk with a cursor
DEEPEST_NESTING = 16  # of a condition; an engine has a limit of its own for the whole query
STRICTNESS = 3  # so many readings of the words, see `search.clauses.Text`

_LESS = 0.3  # an everyday meaning of a corrected query counts less than its words
_BESIDE, _BOTH = 0.8, 0.3  # an everyday meaning beside words that say less; both at once add


@dataclass(frozen=True)
class SearchQuery:
    """A request as clauses.

    `text` (None when browsing), `exact` (the top tier, None when browsing), `further` (None for
    most queries: what only a correction or the thesaurus finds) and `loose` (the bottom tier,
    None unless few entries hold every word: what holds some) are alternatives: a hit matches one
    of them. `filters` hold for everything; `facet_filters` for everything but the counts of the
    facet itself.
    """

    text: Clause | None
    exact: Clause | None
    filters: tuple[Clause, ...]
    facet_filters: Mapping[str, Clause]
    further: Clause | None = None
    loose: Clause | None = None

    @property
    def matched(self) -> tuple[Clause, ...]:
        """Return the words' part as a condition, all tiers together."""
        if self.text is None or self.exact is None:
            return ()
        lower = [clause for clause in (self.further, self.loose) if clause is not None]
        return (AnyOf((self.exact, self.text, *lower)),)

    def tiers(self) -> tuple[Clause, ...]:
        """Return what is ranked before what: titles and codes that equal the words, entries that
        hold the words, entries found only otherwise, entries that hold some of the words. None of
        an earlier tier is in a later one.
        """
        if self.text is None or self.exact is None:
            return ()
        filters = self.all_filters()
        tiers: list[Clause] = [AllOf((), hopes=(self.text,), filters=(self.exact, *filters))]
        above: list[Clause] = [Not(self.exact)]
        for clause in (self.text, self.further, self.loose):
            if clause is not None:
                tiers.append(AllOf((clause,), filters=(*above, *filters)))
                above.append(Not(clause))
        return tuple(tiers)

    def all_filters(self, but: str | None = None) -> tuple[Clause, ...]:
        """Return every filter, without the one of facet `but`."""
        own = (clause for name, clause in self.facet_filters.items() if name != but)
        return (*self.filters, *own)


def check(request: SearchRequest) -> None:
    """Refuse what no engine can answer.

    Raises:
        SearchRefused: an unknown facet or range field, or a page that does not exist.
    """
    asked = [
        *request.filters,
        *request.excluded,
        *request.required,
        *(ask.name for ask in request.facets),
    ]
    for name in asked:
        if name not in FACETS:
            raise SearchRefused(f"unknown facet {name!r}")
    for span in request.ranges:
        if span.field not in DATES:
            raise SearchRefused(f"unknown range field {span.field!r}")
    if request.start < 0 or request.rows < 0 or any(ask.limit < 0 for ask in request.facets):
        raise SearchRefused("start, rows and facet limits must not be negative")
    if (request.after is None and request.start + request.rows > DEEPEST) or request.rows > DEEPEST:
        raise SearchRefused(f"start + rows is above {DEEPEST}; narrow the search or use a cursor")
    if not 0 <= request.beta <= 10:
        raise SearchRefused("beta must be between 0 and 10")
    for clause in (request.where, request.question):
        if clause is not None and depth_of(clause) > DEEPEST_NESTING:
            raise SearchRefused(f"a condition is nested deeper than {DEEPEST_NESTING}")


def build_query(
    request: SearchRequest,
    labels: frozenset[str],
    strictness: int = 0,
    corrected: str = "",
    *,
    loosely: bool = False,
) -> SearchQuery:
    """Return the neutral query for a viewer who holds `labels`; no label finds nothing.

    `corrected` is what the words are read as besides, if anything. `loosely` adds, below all
    others, what the next less strict reading finds.

    Raises:
        SearchRefused: see `check`.
    """
    check(request)
    words = analyse(request.words)
    asked: list[Clause] = [_literal(request, strictness, corrected)] if words else []
    asked += [request.question] if request.question is not None else []
    # A question is not a title: then the top tier is empty.
    titles = (request.words, corrected) if words and request.question is None else ()
    exact = tuple(dict.fromkeys(key for title in titles if (key := analysis.exact_key(title))))
    return SearchQuery(
        text=asked[0] if len(asked) == 1 else AllOf(tuple(asked)) if asked else None,
        exact=Terms(EXACT, exact) if asked else None,
        filters=tuple(_filters(request, labels)),
        facet_filters={
            facet.name: clause
            for facet in FACETS.values()
            if (clause := facet.clause(request)) is not None
        },
        further=_further(request, strictness, corrected) if words else None,
        loose=(
            Text(corrected or request.words, strictness + 1, request.thesaurus) if loosely else None
        ),
    )


def _literal(request: SearchRequest, strictness: int, corrected: str) -> Clause:
    """Return how the words as typed are found; an everyday expression that says more than they do
    stands beside them."""
    text = Text(request.words, strictness, request.thesaurus)
    meant = _meant(request, strictness) if not corrected else None
    if meant is None or not meant.says_more:
        return text
    return Best((text, Boost(Colloquial(request.words), _BESIDE)), _BOTH)


def _meant(request: SearchRequest, strictness: int, corrected: str = "") -> Everyday | None:
    """Return the everyday reading, if it explains the query."""
    if not request.thesaurus or strictness or request.question is not None:
        return None
    reading = everyday(corrected or request.words)
    return reading if reading is not None and reading.whole else None


def _further(request: SearchRequest, strictness: int, corrected: str) -> Clause | None:
    """Return how entries are found that do not hold the words as they were typed."""
    if request.question is not None:
        return None
    ways: list[Clause] = []
    if corrected:
        ways.append(Text(corrected, strictness, request.thesaurus))
    meant = _meant(request, strictness, corrected)
    if meant is not None and (corrected or not meant.says_more):
        clause = Colloquial(corrected or request.words)
        ways.append(Boost(clause, _LESS) if ways else clause)
    if not ways:
        return None
    return ways[0] if len(ways) == 1 else Best(tuple(ways))


def _filters(request: SearchRequest, labels: frozenset[str]) -> list[Clause]:
    parts: list[Clause] = [Terms(LABELS, tuple(sorted(labels)))]
    if request.codes:
        parts.append(Terms(CODE, tuple(request.codes)))
    if request.ids is not None:
        parts.append(Terms(ID, tuple(sorted(request.ids))))
    if request.excluded_ids:
        parts.append(Not(Terms(ID, tuple(sorted(request.excluded_ids)))))
    for span in request.ranges:
        start = None if span.start is None else instant(span.start)
        end = None if span.end is None else instant(span.end)
        if start is not None or end is not None:
            parts.append(Range(span.field, start, end))
    for name, codes in request.required.items():
        parts.extend(Terms(FACETS[name].field, (code,)) for code in codes)
    if request.where is not None:
        parts.append(request.where)
    if request.area is not None:
        parts.append(overlaps(request.area))
    exclusions = (facet.exclusion(request) for facet in FACETS.values())
    return parts + [clause for clause in exclusions if clause is not None]


def can_relax(typed: str) -> bool:
    """Say whether relaxing may find more: several words, or a word of several characters."""
    required = analyse(typed).required
    return len(required) > 1 or any(word.is_cjk and len(word.text) > 2 for word in required)
