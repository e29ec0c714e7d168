"""Division codes: the entry's own region and all above it, so that a province finds its cities."""

from search.facets.facet import Facet

REGION = Facet("region", "地区", "Region")
