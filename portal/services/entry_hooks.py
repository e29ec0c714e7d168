"""What extensions add to an entry where it goes out: facet codes for search, keys of its package."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from portal.models.entry import CatalogueEntry
from portal.rules.entry_content import EntryContent

FacetSource = Callable[[CatalogueEntry, EntryContent], Mapping[str, tuple[str, ...]]]
"""Returns facet name -> the entry's codes, for facets that the extension registers."""

ExtraSource = Callable[[Session, Sequence[CatalogueEntry]], Mapping[int, Mapping[str, Any]]]
"""Returns entry id -> further `jl_…` keys of the entry's CKAN package, for many entries at once."""

_FACETS: list[FacetSource] = []
_EXTRAS: list[ExtraSource] = []


def add_entry_hooks(facets: Iterable[FacetSource], extras: Iterable[ExtraSource]) -> None:
    """Add an extension's sources; the same one again changes nothing."""
    _FACETS.extend(source for source in facets if source not in _FACETS)
    _EXTRAS.extend(source for source in extras if source not in _EXTRAS)


def more_facets(entry: CatalogueEntry, content: EntryContent) -> dict[str, tuple[str, ...]]:
    return {name: codes for source in _FACETS for name, codes in source(entry, content).items()}


def more_extras(session: Session, entries: Sequence[CatalogueEntry]) -> dict[int, dict[str, Any]]:
    """Return entry id -> what all extensions add to its package."""
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for source in _EXTRAS:
        for entry_id, extras in source(session, entries).items():
            found[entry_id].update(extras)
    return found
