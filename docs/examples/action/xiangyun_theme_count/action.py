"""`GET /api/3/action/theme_count?limit=5`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from portal.api.action import Action, Call
from portal.codes import code_list
from portal.services.search import search_catalogue
from portal.web.access import Access
from search.request import FacetAsk, SearchRequest


class ThemeCountInput(BaseModel):
    limit: int = Field(default=10, ge=1, le=100)


def theme_count(call: Call, given: ThemeCountInput) -> list[dict[str, Any]]:
    """Return themes with the number of their public data sets, the largest first."""
    asked = SearchRequest(rows=0, facets=(FacetAsk("theme", given.limit),))
    found = search_catalogue(call.session, call.platform.engine, asked, call.actor)
    themes = code_list("themes")
    return [
        {"name": count.code, "title": themes.label(count.code), "count": count.count}
        for count in found.facets["theme"]
    ]


THEME_COUNT = Action("theme_count", Access.PUBLIC, theme_count, ThemeCountInput)
