"""How often the data is updated."""

from search.facets.facet import Facet

UPDATE_FREQUENCY = Facet("update_frequency", "更新周期", "Update frequency")
