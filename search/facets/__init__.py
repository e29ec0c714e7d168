"""The facets, one file each, and the one way to add another.

An extension calls `register_facet` when the application is built. A facet added to an index that
already holds entries counts what is written from then on; `index rebuild` fills in the rest.
"""

from __future__ import annotations

from search.facets.facet import Facet
from search.facets.format import FORMAT
from search.facets.licence import LICENCE
from search.facets.open_type import OPEN_TYPE
from search.facets.organisation import ORGANISATION
from search.facets.region import REGION
from search.facets.share_type import SHARE_TYPE
from search.facets.state import STATE
from search.facets.tags import TAGS
from search.facets.theme import THEME
from search.facets.update_frequency import UPDATE_FREQUENCY

_BUILT_IN = (
    THEME,
    ORGANISATION,
    REGION,
    OPEN_TYPE,
    FORMAT,
    UPDATE_FREQUENCY,
    LICENCE,
    SHARE_TYPE,
    TAGS,
    STATE,
)

FACETS: dict[str, Facet] = {facet.name: facet for facet in _BUILT_IN}


def register_facet(facet: Facet) -> Facet:
    """Add a facet; the same facet again changes nothing.

    Raises:
        ValueError: another facet already has the name.
    """
    if FACETS.setdefault(facet.name, facet) != facet:
        raise ValueError(f"facet {facet.name!r} is already registered with other titles")
    return facet


__all__ = ["FACETS", "Facet", "register_facet"]
