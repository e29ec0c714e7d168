"""Licence codes."""

from search.facets.facet import Facet

LICENCE = Facet("licence", "开放许可", "Licence")
