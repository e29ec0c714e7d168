"""From a request to the neutral query that every engine compiles. Pure: no network, no engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from search import analysis
from search.clauses import AllOf, AnyOf, Best, Boost, Clause, Not, Prefix, Range, Term, Terms, Text
from search.conditions import depth_of, overlaps
from search.engine import SearchRefused
from search.facets import FACETS
from search.fields import CODE, CODES, DATES, EXACT, ID, LABELS, STARTS, TEXT_BOOSTS, instant
from search.request import SearchRequest
from search.words import Word, Words, analyse

DEEPEST = 10_000  # start + rows; beyond it, walk with a cursor
DEEPEST_NESTING = 16  # of a condition; an engine has a limit of its own for the whole query
STRICTNESS = 3  # so many readings of the words, see `search.clauses.Text`

_TIE = 0.2  # what further fields add to the best one
_SYNONYM, _PARTS, _PAIRS, _NEAR, _JOINTS = 0.7, 0.6, 0.5, 0.2, 0.5
_CODE_BOOST, _PINYIN_BOOST = 4.0, 1.0


@dataclass(frozen=True)
class SearchQuery:
    """A request as clauses.

    `text` (None when browsing) and `exact` (the top tier, None when browsing) are alternatives:
    a hit matches one of them. `filters` hold for everything; `facet_filters` for everything but
    the counts of the facet itself.
    """

    text: Clause | None
    exact: Clause | None
    filters: tuple[Clause, ...]
    facet_filters: Mapping[str, Clause]

    @property
    def matched(self) -> tuple[Clause, ...]:
        """Return the words' part as a condition, both tiers together."""
        if self.text is None or self.exact is None:
            return ()
        return (AnyOf((self.exact, self.text)),)

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


def build_query(request: SearchRequest, labels: frozenset[str], strictness: int = 0) -> SearchQuery:
    """Return the neutral query for a viewer who holds `labels`; no label finds nothing.

    Raises:
        SearchRefused: see `check`.
    """
    check(request)
    words = analyse(request.words)
    asked: list[Clause] = [Text(request.words, strictness)] if words else []
    asked += [request.question] if request.question is not None else []
    # A question is not a title: then the top tier is empty.
    exact = (analysis.exact_key(request.words),) if words and request.question is None else ()
    return SearchQuery(
        text=asked[0] if len(asked) == 1 else AllOf(tuple(asked)) if asked else None,
        exact=Terms(EXACT, exact) if asked else None,
        filters=tuple(_filters(request, labels)),
        facet_filters={
            facet.name: clause
            for facet in FACETS.values()
            if (clause := facet.clause(request)) is not None
        },
    )


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


def text_clause(typed: str, strictness: int = 0) -> Clause:
    """Return the scored clause for what somebody typed.

    Every required word must occur, in whichever field. `strictness` 1 and 2 relax that, for a
    query that finds nothing.
    """
    words = analyse(typed)
    clauses = tuple(_word_clause(word, near=strictness == 2) for word in words.required)
    hopes = _hopes(words)
    if strictness == 0:
        return AllOf(clauses, hopes)
    at_least = max(1, ceil(len(clauses) / 2)) if strictness == 1 else 1
    return AllOf((AnyOf(clauses, at_least),), hopes)


def can_relax(typed: str) -> bool:
    """Say whether relaxing may find more: several words, or a word of several characters."""
    required = analyse(typed).required
    return len(required) > 1 or any(word.is_cjk and len(word.text) > 2 for word in required)


def _hopes(words: Words) -> tuple[Clause, ...]:
    helpful = tuple(_anywhere(_token(word)) for word in words.helpful)
    joints = tuple(Boost(Term("title", pair), _JOINTS) for pair in words.joints)
    return helpful + joints


def _token(word: Word) -> str:
    return word.text if word.is_cjk else analysis.stem(word.text)


def _anywhere(token: str) -> Clause:
    """One token in any text field, the best field counting most."""
    return Best(
        tuple(Boost(Term(field, token), boost) for field, boost in TEXT_BOOSTS.items()), _TIE
    )


def _pairs_together(text: str, at_least: float = 1.0) -> Clause:
    """All pairs of characters (or a share of them) of an unsegmented word in one field."""
    pairs = tuple(dict.fromkeys(analysis.bigrams(text)))
    wanted = max(1, ceil(len(pairs) * at_least))
    return Best(
        tuple(
            Boost(AnyOf(tuple(Term(field, pair) for pair in pairs), wanted), boost / len(pairs))
            for field, boost in TEXT_BOOSTS.items()
        ),
        _TIE,
    )


def _word_clause(word: Word, *, near: bool) -> Clause:
    """The ways in which one word may occur; the best of them counts."""
    ways: list[Clause] = [_anywhere(_token(word))]
    if word.parts:
        pieces = tuple(_anywhere(analysis.stem(part)) for part in word.parts)
        ways.append(Boost(AllOf(pieces), _PARTS / len(pieces)))
    if word.is_cjk and len(word.text) > 2:
        ways.append(Boost(_pairs_together(word.text), _PAIRS))
        if near:
            ways.append(Boost(_pairs_together(word.text, 0.5), _NEAR))
    if not word.is_cjk:
        ways.extend(_code_ways(word.text))
    ways.extend(Boost(_synonym_clause(text), _SYNONYM) for text in word.synonyms)
    return ways[0] if len(ways) == 1 else Best(tuple(ways))


def _code_ways(text: str) -> list[Clause]:
    """A Latin word may also be a code, the beginning of one, or pinyin of a title."""
    ways: list[Clause] = [Boost(Term(CODES, text), _CODE_BOOST)]
    if text.isascii() and text.isalpha() and len(text) >= 3:
        ways.append(Boost(Prefix(STARTS, "p:" + text), _PINYIN_BOOST))
        ways.append(Boost(Prefix(STARTS, "i:" + text), _PINYIN_BOOST))
    return ways


def _synonym_clause(text: str) -> Clause:
    """One synonym: as a word, and, since the segmenter may not know it, as its characters."""
    pieces = []
    for run, is_cjk in analysis.runs(text):
        whole = _anywhere(run if is_cjk else analysis.stem(run))
        if is_cjk and len(run) > 2:
            whole = Best((whole, Boost(_pairs_together(run), _PAIRS)))
        pieces.append(whole)
    return pieces[0] if len(pieces) == 1 else AllOf(tuple(pieces))
