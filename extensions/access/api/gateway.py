"""`GET /data/v1/<api_code>/{rows,count,aggregate,schema}`: what a grant gives, asked in four ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict
from werkzeug.http import http_date

from extensions.access.api.aggregate import AGGREGATE_NAMES, aggregate_answer, read_aggregate
from extensions.access.api.calls import Answer, refused_headers, serve_call
from extensions.access.api.forms import FORMATS, chosen_form
from extensions.access.api.parameters import QUERY_SECONDS, read_parameters
from extensions.access.api.problems import problem
from extensions.access.api.row_answers import ROW_NAMES, rows_answer
from extensions.access.api.schema import schema_of
from extensions.access.api.tags import tag_of
from extensions.access.api.upstream_answers import upstream_answer
from extensions.access.errors import CallRefused
from extensions.access.services.gate import Admission
from extensions.access.upstream import Target
from portal.errors import Invalid, TooManyRequests, Unavailable
from portal.tables.json_values import dumps
from portal.tables.query import TableQuery
from portal.web.access import public
from portal.web.context import platform
from portal.web.errors import defects_of

blueprint = Blueprint("access_gateway", __name__)
VARY = "Authorization, X-API-Key, Accept, Accept-Language"
Given = MultiDict[str, str]


@blueprint.get("/data/v1/<api_code>/rows")
@public
def rows(api_code: str) -> Any:
    """Rows of the grant: a page as JSON or CSV, or all that fit the filters as NDJSON."""
    return _serve(api_code, "rows")


@blueprint.get("/data/v1/<api_code>/count")
@public
def count(api_code: str) -> Any:
    """How many rows fit the filters."""
    return _serve(api_code, "count")


@blueprint.get("/data/v1/<api_code>/aggregate")
@public
def aggregate(api_code: str) -> Any:
    """Rows that fit the filters, grouped and measured."""
    return _serve(api_code, "aggregate")


@blueprint.get("/data/v1/<api_code>/schema")
@public
def schema(api_code: str) -> Any:
    """The granted fields with their types and what may be asked of each."""
    return _serve(api_code, "schema")


def _serve(api_code: str, operation: str) -> Response:
    return serve_call(api_code, operation, lambda a: answer_to(operation, a, request.args))


def answer_to(operation: str, admission: Admission, given: Given) -> Answer:
    """Answer an admitted call of one of OPERATIONS.

    Wrong parameters and too costly questions are answers too: they count as calls.
    """
    try:
        if admission.upstream is not None and operation != "schema":
            return _asked_upstream(operation, admission, admission.upstream, given)
        return OPERATIONS[operation](admission, given)
    except Invalid as error:
        return Answer(problem(CallRefused("bad_query"), defects_of(error)))
    except CallRefused as error:
        response = problem(error)
        if error.seconds:
            response.headers["Retry-After"] = str(error.seconds)
        return Answer(response)
    except (Unavailable, TooManyRequests):
        response = problem(CallRefused("unavailable"))
        response.headers["Retry-After"] = "10"
        return Answer(response)


def _asked_upstream(operation: str, admission: Admission, target: Target, given: Given) -> Answer:
    if operation != "rows":
        raise CallRefused("not_offered")
    return upstream_answer(admission, target, given)


def _rows(admission: Admission, given: Given) -> Answer:
    asked = read_parameters(given, admission, names=ROW_NAMES, formats=FORMATS)
    form = chosen_form(asked.format)
    cursor = given.get("cursor", "")
    tag = tag_of(admission, "rows", asked.query, form, cursor, "limit" in given)
    return _unless_known(
        admission, tag, lambda: rows_answer(admission, asked.query, form, cursor, given)
    )


def _count(admission: Admission, given: Given) -> Answer:
    asked = read_parameters(given, admission, names=())
    query = TableQuery(filters=asked.query.filters, limit=0)
    used = sorted({one.column for one in query.filters})

    def found() -> Answer:
        total = platform().tables.run(admission.table, query, seconds=QUERY_SECONDS).total
        return Answer(_json({"count": total}), 0, used)

    return _unless_known(admission, tag_of(admission, "count", query), found)


def _aggregate(admission: Admission, given: Given) -> Answer:
    asked = read_parameters(given, admission, names=AGGREGATE_NAMES, formats=FORMATS)
    grouping = read_aggregate(given, admission)
    form = chosen_form(asked.format)
    filters = asked.query.filters
    tag = tag_of(admission, "aggregate", filters, grouping, form)
    return _unless_known(
        admission, tag, lambda: aggregate_answer(admission, filters, grouping, form)
    )


def _schema(admission: Admission, given: Given) -> Answer:
    read_parameters(given, admission, names=())
    described = schema_of(admission)
    tag = tag_of(admission, "schema", repr(described))
    return _unless_known(admission, tag, lambda: Answer(_json(described)))


OPERATIONS: dict[str, Callable[[Admission, Given], Answer]] = {
    "rows": _rows,
    "count": _count,
    "aggregate": _aggregate,
    "schema": _schema,
}


def _json(value: object) -> Response:
    return Response(dumps(value), content_type="application/json")


def _unless_known(admission: Admission, tag: str, make: Callable[[], Answer]) -> Answer:
    """Answer 304 without asking the table when the caller has the same already."""
    if _is_known(admission, tag):
        return Answer(_cached(Response(status=304), admission, tag))
    answered = make()
    if answered.response.status_code == 200:
        _cached(answered.response, admission, tag)
    return answered


def _is_known(admission: Admission, tag: str) -> bool:
    """If-None-Match decides alone where it is sent (RFC 9110, section 13.2.2)."""
    if request.if_none_match:
        return request.if_none_match.contains_weak(tag)
    since = request.if_modified_since
    changed = admission.changed_at
    return since is not None and changed is not None and changed.replace(microsecond=0) <= since


def _cached(response: Response, admission: Admission, tag: str) -> Response:
    response.set_etag(tag, weak=True)
    if admission.changed_at is not None:
        response.headers["Last-Modified"] = http_date(admission.changed_at)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = VARY
    return response


@blueprint.errorhandler(CallRefused)
def _refused(error: CallRefused) -> Response:
    return refused_headers(problem(error), error)
