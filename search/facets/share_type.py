"""How agencies may share an entry."""

from search.facets.facet import Facet

SHARE_TYPE = Facet("share_type", "共享类型", "Share type")
