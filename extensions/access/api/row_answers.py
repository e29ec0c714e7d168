"""Rows as an answer: one page as JSON or CSV, or everything that fits the filters as NDJSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode

from flask import Response
from werkzeug.datastructures import MultiDict

from extensions.access.api.answers import Page, csv_lines, envelope
from extensions.access.api.calls import Answer
from extensions.access.api.cursor import next_cursor, with_cursor
from extensions.access.api.forms import content_type
from extensions.access.api.parameters import QUERY_SECONDS
from extensions.access.api.streams import streams_of
from extensions.access.errors import CallRefused
from extensions.access.masking import mask_rows
from extensions.access.masking_sql import masked_values
from extensions.access.quota import seconds_of_day_left
from extensions.access.services.gate import Admission
from extensions.access.services.usage import rows_today
from portal.errors import Invalid
from portal.tables.column_types import ColumnType
from portal.tables.export import cut_into_pieces, whole_or_marked
from portal.tables.export_sql import json_object
from portal.tables.export_text import batch_rows, joined
from portal.tables.info import Column
from portal.tables.json_values import MAX_SAFE_INTEGER
from portal.tables.query import TableQuery, compile_query
from portal.tables.stream import StepLimits
from portal.web.attachment import hold_slot
from portal.web.context import clock, platform

ROW_NAMES = ("sort", "limit", "cursor", "fields", "format")
MAX_STREAM_ROWS = 2_000_000
STREAM_STEP_SECONDS, STREAM_SECONDS = 10.0, 60.0  # of the engine's work: one step, all of them
MAX_ROWS_A_DAY = 20_000_000  # of one grant, before a stream is refused
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
    """Stream every row that fits; `limit` counts only where the caller names one.

    The question alone may take no longer than any other (QUERY_SECONDS until the first rows), the
    engine's work for all rows STREAM_SECONDS; how many rows leave is known and counted before.
    """
    if cursor:
        raise Invalid.one("cursor", "not_together", "NDJSON 一次返回全部结果，不使用游标。")
    if not is_limited:
        query = replace(query, limit=None)
    rows = _rows_to_stream(admission, query)
    response = Response(content_type=content_type("ndjson"))
    with streams_of(admission.allowance) as held:
        pieces = cut_into_pieces(_lines(admission, query))
        whole = whole_or_marked(next(pieces, b""), pieces, BROKEN_OFF)
        hold_slot(response, held.until_closed(whole))
    response.headers["X-Total-Count"] = str(rows)
    return Answer(response, rows, tuple(query.columns))


def _rows_to_stream(admission: Admission, query: TableQuery) -> int:
    """Return how many rows will leave. Raises CallRefused where they are too many."""
    counted = replace(query, limit=0, sort=(), columns=())
    total = platform().tables.run(admission.table, counted, seconds=QUERY_SECONDS).total or 0
    rows = total if query.limit is None else min(total, query.limit)
    if rows > MAX_STREAM_ROWS:
        raise CallRefused("too_many_rows")
    if not admission.is_sandbox:
        now = clock()()
        with platform().database.reading() as reading:
            given = rows_today(reading, now, admission.allowance.application_id)
        if given + rows > MAX_ROWS_A_DAY:
            raise CallRefused("quota_rows", seconds=seconds_of_day_left(now))
    return rows


def _lines(admission: Admission, query: TableQuery) -> Iterator[bytes]:
    """Yield the lines, masked; DuckDB writes them."""
    compiled = compile_query(admission.table, query, whole=True)
    rules = {name: item.masking for name, item in admission.items.items()}
    values = {**_large_integers(compiled.columns), **masked_values(compiled.columns, rules)}
    select = json_object(compiled.columns, values)
    limits = StepLimits(STREAM_STEP_SECONDS, first=QUERY_SECONDS, whole=STREAM_SECONDS)
    with platform().tables.statement(
        admission.table, f"concat({select}, chr(10))", compiled, limits=limits
    ) as stream:
        for texts in stream.texts(batch_rows(compiled.columns)):
            yield joined(texts)


def _large_integers(columns: tuple[Column, ...]) -> dict[str, str]:
    """Return SQL of integers that JavaScript's numbers do not hold: they are texts, as in pages."""
    most = MAX_SAFE_INTEGER
    return {
        one.field_name: f"CASE WHEN abs({plain}::HUGEINT) > {most} THEN '\"' || {plain} || '\"'"
        f" ELSE {plain}::VARCHAR END"
        for one in columns
        if one.type is ColumnType.INTEGER
        and max(abs(int(one.minimum or 0)), abs(int(one.maximum or 0))) > most
        for plain in (f'"{one.field_name}"',)
    }
