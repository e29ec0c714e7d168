"""Keywords as free tags, exactly as written."""

from search.facets.facet import Facet

TAGS = Facet("tags", "标签", "Tags")
