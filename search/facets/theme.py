"""Theme codes (themes.csv), the main one and the further ones."""

from search.facets.facet import Facet

THEME = Facet("theme", "主题", "Theme")
