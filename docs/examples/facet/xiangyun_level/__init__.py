"""A facet: the level of government that a data set comes from."""

from portal.codes import code_list
from portal.extension import Extension
from portal.models.entry import CatalogueEntry
from portal.rules.entry_content import EntryContent
from search.facets import Facet

LEVEL = Facet("level", "层级", "Level of government")


def level_of(entry: CatalogueEntry, _content: EntryContent) -> dict[str, tuple[str, ...]]:
    region = code_list("regions").find(entry.provider.region_code)
    return {"level": (region["level"],) if region else ()}


extension = Extension(name="level", facets=(LEVEL,), facet_codes=(level_of,))
