"""The page. Search is asked as the visitor, so that it shows what the visitor may find."""

from __future__ import annotations

from importlib.resources import files

from flask import Blueprint, render_template_string

from portal.services.search import search_catalogue
from portal.web.access import public
from portal.web.context import actor, platform, session
from search.request import SearchRequest, Sort

TEMPLATE = files("xiangyun_newest").joinpath("newest.html").read_text(encoding="utf-8")
ROWS = 10

blueprint = Blueprint("newest", __name__)


@blueprint.get("/newest")
@public
def newest() -> str:
    asked = SearchRequest(sort=Sort.CREATED, rows=ROWS)
    found = search_catalogue(session(), platform().engine, asked, actor())
    return render_template_string(TEMPLATE, hits=[hit.stored for hit in found.hits])
