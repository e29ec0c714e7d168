"""A facet: the level of government that a data set comes from."""

from portal.extension import Extension
from search.facets import Facet

LEVEL = Facet("level", "层级", "Level of government")

extension = Extension(name="level", facets=(LEVEL,))
