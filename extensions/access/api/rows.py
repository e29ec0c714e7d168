"""`GET /data/v1/<api_code>`: the rows of a grant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from extensions.access.api.answers import csv_lines, envelope, page_of
from extensions.access.api.calls import Answer, install, refused_headers, serve_call
from extensions.access.api.openapi import describe
from extensions.access.api.parameters import QUERY_SECONDS, Asked, read_parameters
from extensions.access.api.tags import tag_of
from extensions.access.api.upstream_answers import upstream_answer
from extensions.access.errors import CallRefused
from extensions.access.masking import is_masked
from extensions.access.models.interface import get_interface
from extensions.access.services.gate import Admission
from extensions.access.upstream import find_target
from portal.errors import Invalid
from portal.tables.query import TableQuery
from portal.web.access import public
from portal.web.context import platform, session
from portal.web.errors import defects_of
from portal.web.presentation import language_code

blueprint = Blueprint("access_data", __name__)
install(blueprint)


@blueprint.get("/data/v1/<api_code>")
@public
def rows(api_code: str) -> Any:
    """Answer the rows that the caller's grant covers."""
    return serve_call(api_code, "list", _answer)


@blueprint.get("/data/v1/<api_code>/openapi.json")
@public
def openapi(api_code: str) -> Any:
    """Describe the interface; anybody may read how it is called."""
    interface = get_interface(session(), api_code)
    target = find_target(session(), interface.id)
    return jsonify(describe(interface, platform().settings.site_url, target))


def _answer(admission: Admission) -> Answer:
    try:
        if admission.upstream is not None:
            return upstream_answer(admission, admission.upstream, request.args)
        asked = _with_default_order(read_parameters(request.args, admission), admission)
        form = _format(asked)
        tag = tag_of(admission, asked.query, form)
        if request.if_none_match.contains_weak(tag):
            return Answer(cached(Response(status=304), tag))
        table = platform().tables.run(admission.table, asked.query, seconds=QUERY_SECONDS)
    except Invalid as error:
        return Answer(_bad_query(error))
    except CallRefused as error:
        return Answer(_error(error, []))
    page = page_of(admission, asked, table, request.path, request.args)
    columns = tuple(asked.query.columns)
    site_url = platform().settings.site_url.rstrip("/")
    if form == "csv":
        response = Response(csv_lines(page, columns), content_type="text/csv; charset=utf-8")
        response.headers["X-Total-Count"] = str(page.total)
        response.headers["Content-Disposition"] = (
            f'attachment; filename="{admission.interface.api_code}.csv"'
        )
        if page.next:
            response.headers["Link"] = f'<{site_url}{page.next}>; rel="next"'
    else:
        response = Response(
            envelope(admission, page, columns, site_url), content_type="application/json"
        )
    return Answer(cached(response, tag), len(page.rows), columns)


def _with_default_order(asked: Asked, admission: Admission) -> Asked:
    """Order by the interface's own field when the caller names no order and no cursor."""
    name = admission.interface.sort_field
    item = admission.items.get(name)
    query: TableQuery = asked.query
    if query.sort or query.after_id is not None or item is None or is_masked(item.masking):
        return asked
    return replace(asked, query=replace(query, sort=((name, False),)))


def _format(asked: Asked) -> str:
    if asked.format:
        return asked.format
    best = request.accept_mimetypes.best_match(("application/json", "text/csv"))
    return "csv" if best == "text/csv" else "json"


def cached(response: Response, tag: str) -> Response:
    response.set_etag(tag, weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization, X-API-Key, Accept, Accept-Language"
    return response


def _bad_query(error: Invalid) -> Response:
    refusal = CallRefused("bad_query")
    return _error(refusal, defects_of(error))


@blueprint.errorhandler(CallRefused)
def _refused(error: CallRefused) -> Response:
    return refused_headers(_error(error, []), error)


def _error(error: CallRefused, details: list[dict[str, str]]) -> Response:
    body: dict[str, Any] = {
        "code": error.code,
        "message": error.sentence(language_code()),
        "request_id": g.get("request_id", ""),
    }
    if details:
        body["details"] = details
    response = jsonify(error=body)
    response.status_code = error.refusal.status
    response.headers["Cache-Control"] = "no-store"
    return response
