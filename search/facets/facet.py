"""What a facet is: a named set of codes of an entry that people filter and count by."""

from __future__ import annotations

import re
from dataclasses import dataclass

from search.clauses import Clause, Not, Terms
from search.request import SearchRequest

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Facet:
    """One facet. `name` is the key in `SearchDocument.facets` and in a request's filters.

    Raises:
        ValueError: the name is not lower-case letters, digits and underscores.
    """

    name: str
    title: str
    title_en: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"facet name {self.name!r}: use a-z, 0-9 and _ (at most 40)")

    @property
    def field(self) -> str:
        """Return the field of the index that holds the codes."""
        return f"facets.{self.name}"

    def clause(self, request: SearchRequest) -> Clause | None:
        """Return the request's own filter on this facet: any of the codes."""
        if self.name not in request.filters:
            return None
        return Terms(self.field, tuple(request.filters[self.name]))

    def exclusion(self, request: SearchRequest) -> Clause | None:
        """Return what the request shuts out by this facet; it stays when the facet is counted."""
        codes = tuple(request.excluded.get(self.name, ()))
        return Not(Terms(self.field, codes)) if codes else None
