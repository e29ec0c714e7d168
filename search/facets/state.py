"""State of the entry in its publication flow; agencies and the Bureau filter by it."""

from search.facets.facet import Facet

STATE = Facet("state", "状态", "State")
