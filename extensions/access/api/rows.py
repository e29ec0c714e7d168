"""`GET /data/v1/<api_code>`: the rows of a grant."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from extensions.access.api.answers import csv_lines, entity_tag, envelope, page_of
from extensions.access.api.openapi import describe
from extensions.access.api.parameters import Asked, read_parameters
from extensions.access.errors import CallRefused
from extensions.access.masking import is_masked
from extensions.access.models.interface import get_interface
from extensions.access.quota import Quota, QuotaState
from extensions.access.services.gate import Admission, admit
from extensions.access.services.keys import SECRET_PREFIX
from extensions.access.services.usage import add_call
from portal.errors import Invalid
from portal.tables.query import TableQuery
from portal.web.access import public
from portal.web.context import clock, platform, session
from portal.web.errors import defects_of
from portal.web.presentation import language_code

blueprint = Blueprint("access_data", __name__)
CREDENTIAL_NAMES = frozenset(
    {"api_key", "apikey", "api-key", "x-api-key", "access_key", "access_token", "authorization"}
)


@blueprint.get("/data/v1/<api_code>")
@public
def rows(api_code: str) -> Any:
    """Answer the rows that the caller's grant covers."""
    _refuse_credential_in_url()
    now = clock()()
    quota = _quota(platform().settings.redis_url)
    with platform().database.reading() as reading:
        admission = admit(reading, now, api_code, _secret())
        _refuse_if_over(quota.peek(reading, now, admission.allowance))
    answer, count = _answer(admission)
    with platform().database.writing() as writing:
        state = quota.count(writing, now, admission.allowance)
        if state.allowed:
            failed = answer.status_code >= 400
            identity = admission.allowance.application_id
            add_call(writing, now, identity, rows=count, failed=failed)
    _refuse_if_over(state)
    return _with_limits(answer, state)


@blueprint.get("/data/v1/<api_code>/openapi.json")
@public
def openapi(api_code: str) -> Any:
    """Describe the interface; anybody may read how it is called."""
    interface = get_interface(session(), api_code)
    return jsonify(describe(interface, platform().settings.site_url))


@cache
def _quota(redis_url: str) -> Quota:
    return Quota(redis_url)


def _refuse_credential_in_url() -> None:
    """A key in an address is in somebody's log already: say so instead of taking it."""
    for name, value in request.args.items(multi=True):
        if name.lower() in CREDENTIAL_NAMES or value.startswith(SECRET_PREFIX):
            raise CallRefused("credential_in_url")


def _secret() -> str:
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and rest.strip():
        return rest.strip()
    return request.headers.get("X-API-Key", "").strip()


def _refuse_if_over(state: QuotaState) -> None:
    if state.allowed:
        return
    g.quota = state
    which = "quota_day" if state.minute.allowed else "quota_minute"
    raise CallRefused(which, seconds=state.tighter.reset_seconds)


def _answer(admission: Admission) -> tuple[Response, int]:
    """Return the answer and how many rows it gives."""
    try:
        asked = _with_default_order(read_parameters(request.args, admission), admission)
        form = _format(asked)
        tag = entity_tag(admission, asked, form)
        if request.if_none_match.contains_weak(tag):
            return _cached(Response(status=304), tag), 0
        table = platform().tables.run(admission.table, asked.query)
    except Invalid as error:
        return _bad_query(error), 0
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
    return _cached(response, tag), len(page.rows)


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


def _cached(response: Response, tag: str) -> Response:
    response.set_etag(tag, weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization, X-API-Key, Accept, Accept-Language"
    return response


def _with_limits(response: Response, state: QuotaState) -> Response:
    tighter = state.tighter
    headers = response.headers
    headers["RateLimit-Limit"] = str(tighter.limit)
    headers["RateLimit-Remaining"] = str(tighter.remaining)
    headers["RateLimit-Reset"] = str(tighter.reset_seconds)
    headers["RateLimit-Policy"] = f"{state.minute.limit};w=60, {state.day.limit};w=86400"
    return response


def _bad_query(error: Invalid) -> Response:
    refusal = CallRefused("bad_query")
    return _error(refusal, defects_of(error))


@blueprint.errorhandler(CallRefused)
def _refused(error: CallRefused) -> Response:
    response = _error(error, [])
    if "quota" in g:
        response = _with_limits(response, g.quota)
        response.headers["Retry-After"] = str(error.seconds)
    if error.refusal.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Xiangyun data interfaces"'
    return response


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
