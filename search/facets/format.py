"""Formats of the entry's files and interfaces, one code each."""

from search.facets.facet import Facet

FORMAT = Facet("format", "格式", "Format")
