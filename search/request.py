"""One search request and its answer, the same for every engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from search.box import Box
from search.clauses import Clause


class Sort(StrEnum):
    RELEVANCE = "relevance"
    VALUE = "value"
    MODIFIED = "modified"
    CREATED = "created"
    UPDATED = "updated"
    TITLE = "title"
    DOWNLOADS = "downloads"


@dataclass(frozen=True)
class DateRange:
    """Half-open range of instants: start <= x < end; None is open."""

    field: str  # "modified", "created" or "updated"
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class FacetAsk:
    """Which facet to count, and how many of its values to return (largest first, ties by code)."""

    name: str
    limit: int = 50


@dataclass(frozen=True)
class SearchRequest:
    """What somebody looks for.

    `filters` maps a facet name to codes: any of the codes within a facet, all of the facets.
    `excluded` does the same negatively; `required` asks for every one of the codes. A facet's
    counts leave out the facet's own filter.
    `ids` limits to these entries (None: no limit). `excluded_ids` are hidden whatever the index
    says (the deny-set: entries that became less visible and may not be in the index yet).
    `after` walks the whole result in order of the immutable id, whatever changes meanwhile: begin
    with "" and go on with SearchResult.next_cursor; `start` and `sort` are ignored then.
    `descending` False is the exact mirror of a sort order (TITLE reads A to Z with False);
    RELEVANCE has one direction. Without words RELEVANCE is the order by value.
    `where` is a condition made by `search.conditions`; it scores nothing. `question` is one that
    scores, asked for beside the words or in place of them (公交 OR 地铁). `area` keeps entries whose
    area has a point in common with it.
    `as_typed` leaves the words as they are: no pinyin, no spelling corrected. `thesaurus` False
    leaves out what official terms alone would find for everyday words. `strictly` leaves out
    entries that hold only some of the words, where others hold them all. `bare` asks for the ids and
    scores of the hits alone, which is quicker: their codes, what is stored with them and their
    highlights are empty.
    """

    words: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    excluded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    required: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: tuple[DateRange, ...] = ()
    codes: tuple[str, ...] = ()  # exact resource codes or CKAN names
    ids: frozenset[int] | None = None
    excluded_ids: frozenset[int] = frozenset()
    where: Clause | None = None
    question: Clause | None = None
    area: Box | None = None
    sort: Sort = Sort.RELEVANCE
    descending: bool = True
    start: int = 0
    rows: int = 20
    after: str | None = None
    facets: tuple[FacetAsk, ...] = ()
    beta: float = 0.25
    highlight: bool = False
    as_typed: bool = False
    thesaurus: bool = True
    strictly: bool = False
    bare: bool = False


@dataclass(frozen=True, slots=True)
class SearchHit:
    """`score` is text relevance × (1 + β · value / 100); `text_score` the first factor, where known.

    Both are known in the order of relevance only (elsewhere 0 and None); so is `exact`, which
    marks the hits whose title, code or name is what was typed.
    """

    id: int
    code: str
    score: float
    stored: Mapping[str, Any]
    exact: bool = False
    text_score: float | None = None
    highlights: Mapping[str, str] = field(default_factory=dict)  # field -> text with \ue000…\ue001


@dataclass(frozen=True, slots=True)
class FacetCount:
    code: str
    count: int


@dataclass(frozen=True)
class Correction:
    """The words as typed, and what they were read as besides; `SearchRequest.as_typed` undoes it."""

    typed: str
    used: str


@dataclass(frozen=True)
class SearchResult:
    """`relaxed` says that nothing held every word, and these hits hold some of them.

    `whole` is given where few entries hold every word: so many, and the hits after them hold some.

    `correction` is given when the hits come from another spelling than the one typed.

    `next_cursor` is given on walks only; None ends the walk.
    """

    total: int
    hits: tuple[SearchHit, ...]
    facets: Mapping[str, tuple[FacetCount, ...]] = field(default_factory=dict)
    next_cursor: str | None = None
    relaxed: bool = False
    whole: int | None = None
    correction: Correction | None = None


@dataclass(frozen=True)
class Suggestion:
    """One entry offered while somebody types."""

    id: int
    code: str
    title: str
