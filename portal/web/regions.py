"""Regions: the map of the province, and each region's agencies, data and open list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template

from portal.codes import Code, code_list, region_and_ancestors
from portal.errors import NotFound, Unavailable
from portal.models.organisation import Organisation
from portal.services.open_list_view import (
    count_listed,
    count_releases,
    list_listed,
    list_releases,
)
from portal.services.organisations import count_published, list_organisations
from portal.web.access import public
from portal.web.context import session
from portal.web.figures import Figures, catalogue_figures
from portal.web.open_lists import CHANGES, STATES, open_list_file
from portal.web.organisations import PAGE_ROWS, RECENT, paged
from portal.web.presentation import language_code

blueprint = Blueprint("regions", __name__)
PROVINCE = "220000"
STEPS = 4  # of the map's shading, besides none


@dataclass(frozen=True)
class City:
    """A city on the map: its data sets, and the step of its shading from 0 (none) to STEPS."""

    code: str
    name: str
    count: int
    step: int


def cities_of(figures: Figures | None) -> list[City]:
    """Return the cities of the province with their counts; no counts without the search engine."""
    counts = figures.regions if figures else {}
    found = [r for r in code_list("regions") if r["level"] == "prefecture"]
    most = max((counts.get(r.code, 0) for r in found), default=0)
    return [
        City(
            region.code,
            code_list("regions").label(region.code, language_code()),
            counts.get(region.code, 0),
            -(-counts.get(region.code, 0) * STEPS // most) if most else 0,
        )
        for region in found
    ]


def figures_or_none() -> Figures | None:
    """Return the catalogue's figures, or None while the search engine is down."""
    try:
        return catalogue_figures()
    except Unavailable:
        return None


@blueprint.get("/region")
@public
def regions() -> Any:
    figures = figures_or_none()
    return render_template(
        "regions.html",
        figures=figures,
        cities=cities_of(figures),
        others=[r for r in code_list("regions") if r["level"] == "zone"],
    )


@blueprint.get("/region/<code>")
@public
def region(code: str) -> Any:
    place = _region(code)
    figures = figures_or_none()
    found = _organisations(code)
    ids = [o.id for o in found]
    paging = paged(count_listed(session(), ids))
    return render_template(
        "region.html",
        region=place,
        parents=[code_list("regions")[c] for c in region_and_ancestors(code)[:0:-1]],
        children=[r for r in code_list("regions") if r["parent_code"] == code],
        count=figures.regions.get(code, 0) if figures else None,
        counts=figures.regions if figures else {},
        cities=cities_of(figures),
        organisations=found,
        published=count_published(session()),
        entries=list_listed(session(), ids, start=paging.start, rows=PAGE_ROWS),
        releases=list_releases(session(), ids, rows=RECENT),
        changed=count_releases(session(), ids),
        paging=paging,
        states=STATES,
        changes=CHANGES,
    )


@blueprint.get("/region/<code>/open-list.<form>")
@public
def open_list(code: str, form: str) -> Response:
    """Give the lists of all the region's agencies as one file."""
    place = _region(code)
    return open_list_file([o.id for o in _organisations(code)], form, place.name, code)


def _region(code: str) -> Code:
    found = code_list("regions").find(code)
    if found is None:
        raise NotFound("没有代码为“{key}”的地区。", key=code[:20])
    return found


def _organisations(code: str) -> list[Organisation]:
    """Return the region's own agencies and those of the regions below; of the province its own only."""
    return [
        o
        for o in list_organisations(session())
        if o.region_code == code
        or (code != PROVINCE and code in region_and_ancestors(o.region_code))
    ]
