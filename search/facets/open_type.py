"""How an entry is open: unconditional, conditional, none."""

from search.facets.facet import Facet

OPEN_TYPE = Facet("open_type", "开放类型", "Open type")
