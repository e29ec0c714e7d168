"""Organisations, their open lists, and every earlier version of a list."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, render_template, request

from portal.errors import NotFound
from portal.models.organisation import get_organisation
from portal.services.open_list_view import (
    count_listed,
    count_releases,
    list_at,
    list_listed,
    list_releases,
)
from portal.services.organisations import count_published, list_organisations
from portal.web.access import public
from portal.web.context import session
from portal.web.open_lists import CHANGES, STATES, open_list_file
from portal.web.paging import Paging, page_number

blueprint = Blueprint("organisations", __name__)
PAGE_ROWS = 50
RECENT = 5
KINDS = {
    "bureau": "主管部门",
    "responsible_dept": "省级责任部门",
    "city_authority": "市（州）",
    "agency": "公共管理和服务机构",
    "public_utility": "公用事业运营单位",
}


@blueprint.get("/organisation")
@public
def organisations() -> Any:
    """Every organisation by kind, with the number of its data sets; needs no search engine."""
    counts = count_published(session())
    found = list_organisations(session())
    groups = [(text, [o for o in found if o.kind == kind]) for kind, text in KINDS.items()]
    return render_template(
        "organisations.html", groups=[(text, some) for text, some in groups if some], counts=counts
    )


@blueprint.get("/organisation/<key>")
@public
def organisation(key: str) -> Any:
    place = get_organisation(session(), key)
    paging = paged(count_listed(session(), [place.id]))
    return render_template(
        "organisation.html",
        organisation=place,
        entries=list_listed(session(), [place.id], start=paging.start, rows=PAGE_ROWS),
        published=count_published(session()).get(place.id, 0),
        releases=list_releases(session(), [place.id], rows=RECENT),
        paging=paging,
        states=STATES,
        changes=CHANGES,
    )


@blueprint.get("/organisation/<key>/open-list.<form>")
@public
def open_list(key: str, form: str) -> Response:
    """Give the whole open list as a file."""
    place = get_organisation(session(), key)
    return open_list_file([place.id], form, place.name, place.slug)


@blueprint.get("/organisation/<key>/history")
@public
def history(key: str) -> Any:
    """Every change of the list; each made a numbered version of it."""
    place = get_organisation(session(), key)
    paging = paged(count_releases(session(), [place.id]))
    return render_template(
        "open_list_history.html",
        organisation=place,
        releases=list_releases(session(), [place.id], start=paging.start, rows=PAGE_ROWS),
        paging=paging,
        changes=CHANGES,
    )


@blueprint.get("/organisation/<key>/history/<int(max=2147483647):number>")
@public
def old_list(key: str, number: int) -> Any:
    """The list as it stood at one of its versions."""
    place = get_organisation(session(), key)
    release, places = list_at(session(), place.id, number)
    return render_template(
        "open_list_version.html",
        organisation=place,
        release=release,
        places=places,
        newest=count_releases(session(), [place.id]),
        states=STATES,
        changes=CHANGES,
    )


def paged(total: int) -> Paging:
    """Return the page that the address asks for.

    Raises:
        NotFound: there are fewer pages.
    """
    paging = replace(Paging(page_number(request.args), PAGE_ROWS, 0, request.path), total=total)
    if paging.number > paging.pages:
        raise NotFound(
            "没有第 {number} 页，一共 {pages} 页。", number=paging.number, pages=paging.pages
        )
    return paging
