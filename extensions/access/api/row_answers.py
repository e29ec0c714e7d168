"""Rows as an answer: one page as JSON or CSV, or everything that fits the filters as NDJSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Response
from werkzeug.datastructures import MultiDict

from extensions.access.api.answers import Page, csv_lines, envelope
from extensions.access.api.calls import Answer
from extensions.access.api.cursor import next_cursor, with_cursor
from extensions.access.api.forms import content_type
from extensions.access.api.parameters import QUERY_SECONDS
from extensions.access.errors import CallRefused
from extensions.access.masking import is_masked, mask_rows
from extensions.access.services.gate import Admission
from portal.errors import Invalid
from portal.tables.column_types import ColumnType
from portal.tables.export import ExportForm, cut_into_pieces, export_rows, whole_or_marked
from portal.tables.info import Column
from portal.tables.json_values import json_rows
from portal.tables.query import TableQuery, compile_query
from portal.web.attachment import hold_slot
from portal.web.context import platform

ROW_NAMES = ("sort", "limit", "cursor", "fields", "format")
MAX_STREAM_ROWS = 2_000_000
STREAM_BATCH_ROWS = 2_000
STREAM_STEP_SECONDS = 10.0
BROKEN_OFF = b'\n{"error": "broken off: the data is incomplete'


def rows_answer(
    admission: Admission, query: TableQuery, form: str, cursor: str, given: MultiDict[str, str]
) -> Answer:
    """Return the answer; `given` are the parameters as they came.

    Raises:
        Invalid: the cursor is none of this question's.
        CallRefused: the cursor is outdated, or the result too long to stream.
    """
    if form == "ndjson":
        return _stream(admission, query, cursor, is_limited="limit" in given)
    query = with_cursor(query, admission, cursor)
    page = platform().tables.run(
        admission.table, query, with_total=not cursor, seconds=QUERY_SECONDS
    )
    rules = {name: item.masking for name, item in admission.items.items()}
    following = next_cursor(query, admission, page)
    path = _next_path(admission, given, following)
    masked = Page(mask_rows(page.rows, rules), page.total, path)
    columns = tuple(query.columns)
    site_url = platform().settings.site_url.rstrip("/")
    if form == "csv":
        response = Response(csv_lines(masked, columns), content_type=content_type(form))
        response.headers["Content-Disposition"] = (
            f'attachment; filename="{admission.interface.api_code}.csv"'
        )
    else:
        body = envelope(admission, masked, columns, site_url)
        response = Response(body, content_type=content_type(form))
    if page.total is not None:
        response.headers["X-Total-Count"] = str(page.total)
    if path:
        response.headers["Link"] = f'<{site_url}{path}>; rel="next"'
    return Answer(response, len(page.rows), columns)


def _next_path(admission: Admission, given: MultiDict[str, str], cursor: str) -> str:
    if not cursor:
        return ""
    kept = [(k, v) for k, v in given.items(multi=True) if k != "cursor"]
    # Bytes that are no UTF-8 reach us as lone surrogates, which no address can carry.
    path = f"/data/v1/{admission.interface.api_code}/rows"
    return f"{path}?{urlencode([*kept, ('cursor', cursor)], errors='replace')}"


def _stream(admission: Admission, query: TableQuery, cursor: str, *, is_limited: bool) -> Answer:
    """Stream every row that fits; `limit` counts only where the caller names one."""
    if cursor:
        raise Invalid.one("cursor", "not_together", "NDJSON 一次返回全部结果，不使用游标。")
    if not is_limited:
        query = replace(query, limit=None)
    counted = replace(query, limit=0, sort=(), columns=())
    total = platform().tables.run(admission.table, counted, seconds=QUERY_SECONDS).total or 0
    rows = total if query.limit is None else min(total, query.limit)
    if rows > MAX_STREAM_ROWS:
        raise CallRefused("too_many_rows")
    response = Response(content_type=content_type("ndjson"))
    if any(is_masked(admission.items[name].masking) for name in query.columns):
        pieces = _masked_lines(admission, query)
    else:
        pieces = export_rows(platform().tables, admission.table, query, ExportForm.NDJSON)
    hold_slot(response, pieces)
    response.headers["X-Total-Count"] = str(rows)
    return Answer(response, rows, tuple(query.columns))


def _masked_lines(admission: Admission, query: TableQuery) -> Iterator[bytes]:
    """Return the lines in pieces; the first is made at once, while an error can be answered."""
    pieces = cut_into_pieces(_lines(admission, query))
    return whole_or_marked(next(pieces, b""), pieces, BROKEN_OFF)


def _lines(admission: Admission, query: TableQuery) -> Iterator[bytes]:
    compiled = compile_query(admission.table, query, whole=True)
    rules = {name: item.masking for name, item in admission.items.items()}
    select = ", ".join(f'"{column.field_name}"' for column in compiled.columns)
    loose = tuple(c.field_name for c in compiled.columns if _has_shared_scale(c))
    with platform().tables.statement(
        admission.table, select, compiled, step_seconds=STREAM_STEP_SECONDS
    ) as stream:
        batches = stream.record_batches(STREAM_BATCH_ROWS)
        next(batches)  # the schema
        for batch in batches:
            trimmed = [_without_zeros(row, loose) for row in batch.to_pylist()]
            rows = json_rows(mask_rows(trimmed, rules))
            yield b"".join(orjson.dumps(row) + b"\n" for row in rows)


def _has_shared_scale(column: Column) -> bool:
    return column.type is ColumnType.NUMBER and column.decimal_places is None


def _without_zeros(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Drop the zeros that a shared scale adds, as pages do: 3.1 beside 2.055 is 3.1."""
    for name in names:
        if row[name] is not None:
            row[name] = row[name].normalize()
    return row
