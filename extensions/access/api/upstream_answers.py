"""Rows of an upstream service as an answer: asked by declared parameters, given by the grant."""

from __future__ import annotations

from typing import Any, Protocol

import orjson
from flask import Response

from extensions.access.api.answers import Page, csv_lines, envelope
from extensions.access.api.calls import Answer
from extensions.access.api.forms import FORMATS, chosen_form, content_type
from extensions.access.api.made_up_rows import made_up_rows
from extensions.access.errors import CallRefused
from extensions.access.masking import mask_rows
from extensions.access.row_filters import fits
from extensions.access.sealing import open_sealed
from extensions.access.services.gate import Admission
from extensions.access.upstream import MAX_VALUE, Target, call_upstream, checked_rows, rows_of
from portal.errors import Defect, Invalid
from portal.tables.json_values import json_rows
from portal.web.context import platform

OWN = ("fields", "format")


class Given(Protocol):
    """The query string, as werkzeug's MultiDict reads it."""

    def get(self, key: str, default: str) -> str: ...

    def keys(self) -> Any: ...

    def getlist(self, key: str) -> list[str]: ...


def upstream_answer(admission: Admission, target: Target, given: Given) -> Answer:
    """Ask the upstream service; return its rows filtered, masked and cut to what is granted.

    Raises:
        Invalid: a parameter is missing or not declared.
        CallRefused: the service does not answer, or not as it should.
    """
    columns, form, values = _read(admission, target, given)
    if admission.is_sandbox:
        rows = made_up_rows(
            admission, {p.name: values.get(p.send_as, "") for p in target.parameters}
        )
    else:
        rows = _asked(admission, target, values)
    kept = [row for row in rows if fits(row, admission.row_filters, admission.table)]
    rules = {name: item.masking for name, item in admission.items.items()}
    given_rows = mask_rows([{name: row[name] for name in columns} for row in kept], rules)
    return Answer(
        _response(admission, Page(given_rows, len(kept), ""), columns, form), len(kept), columns
    )


def _asked(admission: Admission, target: Target, values: dict[str, str]) -> list[dict[str, Any]]:
    """Return the service's rows, each of them as the information items say."""
    settings = platform().settings
    secret = open_sealed(target.sealed_secret, settings.secret_key)
    if secret is None:
        raise CallRefused("upstream_failed")  # sealed under another SECRET_KEY
    document = call_upstream(target, values, secret, frozenset(settings.fetch_allowed_hosts))
    offered = {item.field_name: item for item in admission.content.items}
    return checked_rows(rows_of(document, target.rows_path), admission.table, offered)


def _read(
    admission: Admission, target: Target, given: Given
) -> tuple[tuple[str, ...], str, dict[str, str]]:
    """Return (columns, form, what is sent on). Raises Invalid with every defect."""
    defects: list[Defect] = []
    declared = {one.name: one for one in target.parameters}
    known = "、".join([*declared, *OWN])
    for name in dict.fromkeys(given.keys()):
        if name not in declared and name not in OWN:
            params = {"name": name[:64], "known": known}
            message = "没有名为“{name}”的参数；可用的参数：{known}。"
            defects.append(Defect(name[:64], "unknown_parameter", message, params))
    values = {}
    for one in target.parameters:
        sent = given.getlist(one.name)
        if len(sent) > 1 or any(len(text) > MAX_VALUE for text in sent):
            message = "参数“{name}”只能有一个值，最多{max}个字。"
            params = {"name": one.name, "max": str(MAX_VALUE)}
            defects.append(Defect(one.name, "bad_value", message, params))
        elif sent and sent[0]:
            values[one.send_as] = sent[0].encode("utf-8", "replace").decode()
        elif one.required:
            params = {"name": one.name}
            defects.append(Defect(one.name, "missing", "缺少参数“{name}”。", params))
    columns = _columns(admission, given.get("fields", ""), defects)
    form = given.get("format", "").lower()
    if form and form not in FORMATS:
        known = {"known": "、".join(FORMATS)}  # type: ignore[assignment]
        defects.append(Defect("format", "unknown", "格式只能是：{known}。", known))  # type: ignore[arg-type]
    if defects:
        raise Invalid(defects)
    return columns, chosen_form(form), values


def _columns(admission: Admission, text: str, defects: list[Defect]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in admission.items:
            message = "没有名为“{name}”的信息项，或者不在授权范围内。"
            defects.append(Defect("fields", "not_granted", message, {"name": name[:64]}))
    return names or tuple(admission.items)


def _response(admission: Admission, page: Page, columns: tuple[str, ...], form: str) -> Response:
    site_url = platform().settings.site_url.rstrip("/")
    if form == "csv":
        body = csv_lines(page, columns)
    elif form == "ndjson":
        body = b"".join(orjson.dumps(row) + b"\n" for row in json_rows(page.rows))
    else:
        body = envelope(admission, page, columns, site_url)
    response = Response(body, content_type=content_type(form))
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Total-Count"] = str(page.total)
    return response
