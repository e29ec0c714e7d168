"""Counts and short lists of the public catalogue, for the home, theme and organisation pages.

They come from the search engine, so that each count is what a click on it then finds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app

from portal.actor import ANONYMOUS
from portal.services.downloads import count_of
from portal.services.index_requests import denied_entry_ids
from portal.services.public_entries import organisation_names, public_ids
from portal.services.search import search_catalogue
from portal.web.context import platform, session
from portal.web.kept import Kept
from search.request import FacetAsk, SearchRequest, Sort

SECONDS = 10.0
ORGANISATIONS_MAX = 1000
SHOWN = 5


@dataclass(frozen=True)
class Figures:
    """Counts by code, and what result lists store of some entries."""

    total: int
    themes: Mapping[str, int]
    organisations: Mapping[str, int]
    regions: Mapping[str, int]
    open_types: Mapping[str, int]
    valued: tuple[Mapping[str, Any], ...]
    newest: tuple[Mapping[str, Any], ...]


def kept_for(name: str, seconds: float, size: int = 256) -> Kept[Any]:
    stores: dict[str, Kept[Any]] = current_app.extensions.setdefault("xiangyun_kept", {})
    if name not in stores:
        stores.setdefault(name, Kept(seconds=seconds, size=size))
    return stores[name]


def kept_views() -> Kept[Any]:
    """Pages' views of entries, by entry and index version."""
    return kept_for("views", 60.0)


def kept_sections() -> Kept[Any]:
    """Parts of entries' pages as HTML; their keys name everything they depend on."""
    return kept_for("sections", 600.0, 1024)


def kept_downloads(entry_id: int) -> int:
    """Return the entry's downloads, as they were some seconds ago."""
    count: int = kept_for("downloads", SECONDS).get(entry_id, lambda: count_of(session(), entry_id))
    return count


def catalogue_figures() -> Figures:
    """Raises: Unavailable, the search engine does not answer."""
    # What is denied stands in the key: counts follow at once when an entry becomes less visible.
    denied = denied_entry_ids(session())
    kept: Figures = kept_for("figures", SECONDS).get(denied, _figures)
    public = public_ids(session(), {hit["id"] for hit in (*kept.valued, *kept.newest)})
    return Figures(
        kept.total,
        kept.themes,
        kept.organisations,
        kept.regions,
        kept.open_types,
        tuple(hit for hit in kept.valued if hit["id"] in public),
        tuple(hit for hit in kept.newest if hit["id"] in public),
    )


def _figures() -> Figures:
    facets = (
        FacetAsk("theme", 100),
        FacetAsk("organisation", ORGANISATIONS_MAX),
        FacetAsk("region", 200),
        FacetAsk("open_type", 10),
    )
    valued = _search(SearchRequest(sort=Sort.VALUE, rows=SHOWN, facets=facets))
    newest = _search(SearchRequest(sort=Sort.CREATED, rows=SHOWN))
    counts = {
        name: {count.code: count.count for count in found} for name, found in valued.facets.items()
    }
    return Figures(
        valued.total,
        counts.get("theme", {}),
        counts.get("organisation", {}),
        counts.get("region", {}),
        counts.get("open_type", {}),
        tuple(hit.stored for hit in valued.hits),
        tuple(hit.stored for hit in newest.hits),
    )


def similar_entries(theme: str, but: int) -> list[Mapping[str, Any]]:
    """Return the most valuable other entries of a theme.

    Raises:
        Unavailable: the search engine does not answer.
    """
    if not theme:
        return []
    request = SearchRequest(filters={"theme": (theme,)}, sort=Sort.VALUE, rows=SHOWN + 1)
    found: tuple[Mapping[str, Any], ...] = kept_for("similar", SECONDS).get(
        theme, lambda: tuple(hit.stored for hit in _search(request).hits)
    )
    public = public_ids(session(), {hit["id"] for hit in found})
    return [hit for hit in found if hit["id"] in public and hit["id"] != but][:SHOWN]


def _search(request: SearchRequest) -> Any:
    return search_catalogue(session(), platform().engine, request, ANONYMOUS)


def names_of_organisations() -> Mapping[str, tuple[str, str]]:
    """Return code -> (name, English name)."""
    names: Mapping[str, tuple[str, str]] = kept_for("organisations", SECONDS).get(
        "names", lambda: organisation_names(session())
    )
    return names
