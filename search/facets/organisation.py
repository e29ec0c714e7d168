"""Codes of the providing organisation and of those above it, so that a department finds its bureaus."""

from search.facets.facet import Facet

ORGANISATION = Facet("organisation", "数源单位", "Organisation")
