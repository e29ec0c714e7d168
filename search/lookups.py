"""What an engine does for the readings of a request: look one query up, list entries, tell words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from search.clauses import Clause
from search.query import SearchQuery
from search.request import FacetCount, SearchHit, SearchRequest
from search.vocabulary import Vocabulary


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
