"""The facets of a result page: what is chosen, what can be, and the links between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from portal.codes import code_list, region_and_ancestors
from portal.web.figures import names_of_organisations
from portal.web.paging import Pairs, address
from portal.web.presentation import language_code
from search.facets import FACETS, Facet
from search.request import FacetAsk, FacetCount

SHOWN = ("theme", "organisation", "region", "open_type", "format", "update_frequency")
HIDDEN = ("state", "share_type", "licence", "tags")
FILTERED_ONLY = ("licence", "tags")
OPEN_AT_FIRST = 8
VALUES_MAX = 200
CODES_MAX = 20  # of one facet in one address
_LISTS = {
    "theme": "themes",
    "region": "regions",
    "open_type": "open_types",
    "format": "formats",
    "update_frequency": "update_frequency",
    "licence": "licences",
}


@dataclass(frozen=True)
class Value:
    """One value of a facet: its link chooses it, or takes it away again if chosen."""

    code: str
    text: str
    count: int
    chosen: bool
    url: str


@dataclass(frozen=True)
class ShownFacet:
    name: str
    title: str
    values: tuple[Value, ...]

    @property
    def first(self) -> tuple[Value, ...]:
        return self.values[:OPEN_AT_FIRST]

    @property
    def further(self) -> tuple[Value, ...]:
        return self.values[OPEN_AT_FIRST:]


@dataclass(frozen=True)
class Chip:
    title: str
    text: str
    url: str


def shown_facets() -> list[Facet]:
    """Return the facets of the page: the portal's own, then those of extensions."""
    further = [name for name in FACETS if name not in SHOWN and name not in HIDDEN]
    return [FACETS[name] for name in (*SHOWN, *further)]


def asked_facets() -> tuple[FacetAsk, ...]:
    return tuple(FacetAsk(facet.name, VALUES_MAX) for facet in shown_facets())


def read_filters(args: MultiDict[str, str]) -> dict[str, tuple[str, ...]]:
    """Return facet -> codes of an address. Unknown codes stay: they find nothing, and can be removed."""
    names = (*(facet.name for facet in shown_facets()), *FILTERED_ONLY)
    chosen = {
        name: tuple(dict.fromkeys(v.strip()[:100] for v in args.getlist(name) if v.strip()))
        for name in names
    }
    return {name: codes[:CODES_MAX] for name, codes in chosen.items() if codes}


def code_text(facet: str, code: str) -> str:
    """Return the words for a code in the reader's language."""
    if facet == "organisation":
        name, name_en = names_of_organisations().get(code, (code, ""))
        return name_en if language_code() == "en" and name_en else name
    if facet in _LISTS:
        return code_list(_LISTS[facet]).label(code, language_code())
    return code


def facet_title(facet: Facet) -> str:
    return facet.title_en if language_code() == "en" else facet.title


def show_facets(
    counts: Mapping[str, Sequence[FacetCount]],
    filters: Mapping[str, tuple[str, ...]],
    path: str,
    pairs: Pairs,
) -> list[ShownFacet]:
    """Return the facets with their values; chosen ones stay even when they count nothing."""
    shown = []
    for facet in shown_facets():
        chosen = filters.get(facet.name, ())
        found = {count.code: count.count for count in counts.get(facet.name, ())}
        codes = _region_codes(found, chosen) if facet.name == "region" else list(found)
        codes = [*(c for c in chosen if c not in codes), *codes]
        values = tuple(
            Value(
                code,
                code_text(facet.name, code),
                found.get(code, 0),
                code in chosen,
                toggled(path, pairs, facet.name, code),
            )
            for code in codes
        )
        if values:
            shown.append(ShownFacet(facet.name, facet_title(facet), values))
    return shown


def _region_codes(found: Mapping[str, int], chosen: Sequence[str]) -> list[str]:
    """Return the province, its cities, and the counties of the cities that are chosen."""
    regions = code_list("regions")
    open_above = {above for code in chosen for above in region_and_ancestors(code)}

    def is_shown(code: str) -> bool:
        region = regions.find(code)
        if region is None or region["level"] in ("province", "prefecture"):
            return True
        return region["parent_code"] in open_above

    return [code for code in found if is_shown(code)]


def toggled(path: str, pairs: Pairs, name: str, code: str) -> str:
    """Return the address with the value added, or taken away; on the first page again."""
    kept = [(k, v) for k, v in pairs if k != "page"]
    if (name, code) in kept:
        kept.remove((name, code))
    else:
        kept.append((name, code))
    return address(path, kept)


def chips(filters: Mapping[str, tuple[str, ...]], path: str, pairs: Pairs) -> list[Chip]:
    return [
        Chip(facet_title(FACETS[name]), code_text(name, code), toggled(path, pairs, name, code))
        for name, codes in filters.items()
        for code in codes
    ]
