"""What extensions add to an entry where it goes out: facet codes for search, keys of its package."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from portal.models.entry import CatalogueEntry
from portal.rules.entry_content import EntryContent

FacetSource = Callable[[CatalogueEntry, EntryContent], Mapping[str, tuple[str, ...]]]
"""Returns facet name -> the entry's codes, for facets that the extension registers."""

ExtraSource = Callable[[Session, CatalogueEntry], Mapping[str, Any]]
"""Returns further `jl_…` keys of the entry's CKAN package."""

_FACETS: list[FacetSource] = []
_EXTRAS: list[ExtraSource] = []


def add_entry_hooks(facets: Iterable[FacetSource], extras: Iterable[ExtraSource]) -> None:
    """Add an extension's sources; the same one again changes nothing."""
    _FACETS.extend(source for source in facets if source not in _FACETS)
    _EXTRAS.extend(source for source in extras if source not in _EXTRAS)


def more_facets(entry: CatalogueEntry, content: EntryContent) -> dict[str, tuple[str, ...]]:
    return {name: codes for source in _FACETS for name, codes in source(entry, content).items()}


def more_extras(session: Session, entry: CatalogueEntry) -> dict[str, Any]:
    return {key: value for source in _EXTRAS for key, value in source(session, entry).items()}
