"""The facets of a result page: what is chosen, what can be, and the links between.

A value's count is how many data sets have it under all other filters: the result of choosing it
alone in its facet. Further values of a facet add to the result, other facets narrow it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from portal.codes import code_list
from portal.web.facet_regions import region_values
from portal.web.facet_values import Value, toggled
from portal.web.figures import names_of_organisations
from portal.web.paging import Pairs
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
class ShownFacet:
    """`is_tree`: its values have values below them."""

    name: str
    title: str
    values: tuple[Value, ...]
    is_tree: bool = False

    @property
    def first(self) -> tuple[Value, ...]:
        return self.values if self.is_tree else self.values[:OPEN_AT_FIRST]

    @property
    def further(self) -> tuple[Value, ...]:
        return () if self.is_tree else self.values[OPEN_AT_FIRST:]


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
        name: tuple(dict.fromkeys(code for v in args.getlist(name) if (code := _code(v))))
        for name in names
    }
    return {name: codes[:CODES_MAX] for name, codes in chosen.items() if codes}


def _code(text: str) -> str:
    return "".join(c for c in text if c.isprintable()).strip()[:100]


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
        if facet.name == "region":
            values = region_values(found, chosen, path, pairs, lambda c: code_text("region", c))
        else:
            values = _flat(facet.name, found, chosen, path, pairs)
        if values:
            is_tree = facet.name == "region"
            shown.append(ShownFacet(facet.name, facet_title(facet), values, is_tree))
    return shown


def _flat(
    name: str, found: Mapping[str, int], chosen: Sequence[str], path: str, pairs: Pairs
) -> tuple[Value, ...]:
    codes = [*(code for code in chosen if code not in found), *found]
    return tuple(
        Value(
            code,
            code_text(name, code),
            found.get(code, 0),
            code in chosen,
            toggled(path, pairs, name, code),
        )
        for code in codes
    )


def chips(filters: Mapping[str, tuple[str, ...]], path: str, pairs: Pairs) -> list[Chip]:
    return [
        Chip(facet_title(FACETS[name]), code_text(name, code), toggled(path, pairs, name, code))
        for name, codes in filters.items()
        for code in codes
    ]
