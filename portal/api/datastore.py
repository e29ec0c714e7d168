"""`datastore_search`: rows of the tables that everybody may have, as CKAN's DataStore gives them.

Older clients find `_links` and `total_was_estimated`, which CKAN itself has dropped.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from flask import request
from pydantic import AliasChoices, BeforeValidator, Field

from portal.api.action import Action, Call
from portal.api.datastore_tables import WireTable, open_wire_table
from portal.api.inputs import LONGEST_KEY, Count, Flag, Input, JsonObject, TextList, json_object
from portal.errors import Defect, Invalid
from portal.tables.cache import TablePage
from portal.tables.info import Column, TableInfo
from portal.tables.json_values import decimal_text, json_value
from portal.tables.query import MAX_PAGE_ROWS, Filter, TableQuery, compile_query
from portal.web.access import Access

LIMIT_MAX = 32_000
_OPERATORS = {"gt": "gt", "gte": "ge", "lt": "lt", "lte": "le", "eq": "eq", "ne": "ne"}


def _q(value: Any) -> Any:
    text = value.strip() if isinstance(value, str) else value
    return json_object(text) if isinstance(text, str) and text.startswith("{") else text


class DatastoreSearch(Input):
    resource_id: str = Field(
        min_length=1, max_length=LONGEST_KEY, validation_alias=AliasChoices("resource_id", "id")
    )
    q: Annotated[str | dict[str, Any], BeforeValidator(_q)] = ""
    filters: JsonObject = Field(default_factory=dict)
    fields: TextList = Field(default_factory=list)
    sort: str = Field(default="", max_length=500)
    limit: Count = 100
    offset: Count = 0
    include_total: Flag = True
    include_next_page: Flag = False
    distinct: Flag = False
    records_format: Literal["objects", "lists", "csv", "tsv"] = "objects"


def datastore_search(call: Call, given: DatastoreSearch) -> dict[str, Any]:
    """Return rows of a table.

    resource_id; q: words somewhere in a text, or {column: words}; filters: {column: value, list of
    values, or {"gt": …, "gte": …, "lt": …, "lte": …}}; fields; sort: "column desc, other asc";
    limit (at most 32000), offset, include_total, records_format (objects, lists, csv, tsv); distinct:
    each combination of the asked fields once, without `_id`.
    """
    table = open_wire_table(call, given.resource_id)
    limit = min(given.limit, LIMIT_MAX)
    query = _query(table, given)
    fields = _fields(table.info, query)
    if given.distinct:
        page = _distinct(call, table.info, query, fields, limit, given)
    else:
        page = _pages(call, table.info, query, limit, given)
    with_id = not given.distinct and (not given.fields or "_id" in given.fields)
    answer: dict[str, Any] = {
        "include_next_page": given.include_next_page,
        "include_total": given.include_total,
        "limit": limit,
        "records_format": given.records_format,
        "resource_id": given.resource_id,
        "records": _records(table, page, fields, given.records_format, with_id=with_id),
        "fields": [*([{"id": "_id", "type": "int"}] if with_id else []), *map(table.field, fields)],
        "_links": _links(given.offset, limit),
    }
    if given.offset:
        answer["offset"] = given.offset
    if given.include_total:
        answer |= {"total": page.total, "total_was_estimated": False}
    if given.include_next_page and page.ids and not given.sort:
        answer["next_page"] = {"_id": {"gt": page.ids[-1]}}
    return answer


def _query(table: WireTable, given: DatastoreSearch) -> TableQuery:
    names = table.names
    filters: list[Filter] = []
    after_id: int | None = None
    for column, value in given.filters.items():
        if column == "_id":
            after_id = _after(value)
            continue
        filters += _filters(str(names.get(column, column)), value)
    words = given.q
    if isinstance(words, dict):
        filters += [Filter(names.get(c, c), "contains", str(v)) for c, v in words.items()]
        words = ""
    columns = tuple(names.get(f, f) for f in given.fields if f != "_id")
    return TableQuery(
        columns=columns, filters=filters, q=words, sort=_sort(given.sort, names), after_id=after_id
    )


def _filters(column: str, value: Any) -> list[Filter]:
    if isinstance(value, Mapping):
        return [Filter(column, _OPERATORS.get(op, str(op)), _text(v)) for op, v in value.items()]
    if isinstance(value, list):
        return [Filter(column, "in", [_text(v) for v in value])]
    if value is None:
        return [Filter(column, "is_blank")]
    return [Filter(column, "eq", _text(value))]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _after(value: Any) -> int:
    """`_id` may be asked for as the page that follows a row: {"_id": {"gt": 100}}."""
    after = value.get("gt") if isinstance(value, Mapping) and set(value) == {"gt"} else None
    if not isinstance(after, int) or isinstance(after, bool) or after < 0:
        raise Invalid([Defect("filters", "id", '“_id”只支持 {{"gt": 行号}} 的写法。', {})])
    return after


def _sort(text: str, names: Mapping[str, str]) -> list[tuple[str, bool]]:
    orders = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        column, _, direction = part.rpartition(" ")
        if direction.lower() not in ("asc", "desc"):
            column, direction = part, "asc"
        column = column.strip().strip('"')
        if column == "_id":
            continue
        orders.append((names.get(column, column), direction.lower() == "desc"))
    return orders


def _pages(
    call: Call, info: TableInfo, query: TableQuery, limit: int, given: DatastoreSearch
) -> TablePage:
    """Return up to `limit` rows, by several pages of the table where one does not hold them.

    Without filter and order the offset is the number of the row, however deep it lies.
    """
    plain = not query.filters and not query.q and not query.sort
    if plain and query.after_id is None and given.offset:
        query = replace(query, after_id=given.offset)
        offset = 0
    else:
        offset = given.offset
    tables = call.platform.tables
    first = tables.run(
        info,
        replace(query, limit=min(limit, MAX_PAGE_ROWS), offset=offset),
        with_total=given.include_total,
    )
    rows, ids = list(first.rows), list(first.ids)
    while len(rows) < limit and len(rows) % MAX_PAGE_ROWS == 0 and rows:
        step = min(limit - len(rows), MAX_PAGE_ROWS)
        if query.sort:
            more = replace(query, limit=step, offset=offset + len(rows))
        else:
            more = replace(query, limit=step, offset=0, after_id=ids[-1])
        page = tables.run(info, more, with_total=False)
        if not page.rows:
            break
        rows += page.rows
        ids += page.ids
    return TablePage(rows, first.total, first.columns, ids[-1] if ids else None, tuple(ids))


def _distinct(
    call: Call,
    info: TableInfo,
    query: TableQuery,
    fields: list[Column],
    limit: int,
    given: DatastoreSearch,
) -> TablePage:
    """Return each combination of values once; the order is that of the asked fields, or none."""
    names = {column.field_name for column in fields}
    if any(name not in names for name, _ in query.sort):
        raise Invalid.one("sort", "distinct", "distinct 时只能按 fields 中的列排序。")
    compiled = compile_query(info, replace(query, limit=None, offset=0), whole=True)
    columns = ", ".join(f'"{column.field_name}"' for column in fields)
    order = compiled.order if query.sort else ""
    page = replace(compiled, order=order, limit=limit, offset=given.offset)
    with call.platform.tables.statement(info, f"DISTINCT {columns}", page) as statement:
        batches = statement.record_batches(2000)
        next(batches)  # the schema
        rows = [row for batch in batches for row in batch.to_pylist()]
    total = None
    if given.include_total:
        counted = replace(compiled, order="", limit=None, offset=0)
        select = f"count(DISTINCT ({columns}))" if len(fields) > 1 else f"count(DISTINCT {columns})"
        with call.platform.tables.statement(info, select, counted) as statement:
            batches = statement.record_batches(1)
            next(batches)
            total = int(next(batches).column(0)[0].as_py())
    return TablePage(rows, total, tuple(fields), None)


def _fields(info: TableInfo, query: TableQuery) -> list[Column]:
    if not query.columns:
        return list(info.columns)
    return [c for name in query.columns for c in info.columns if c.field_name == name]


def _records(
    table: WireTable, page: TablePage, fields: list[Column], form: str, *, with_id: bool
) -> Any:
    ids = [table.id_of(column) for column in fields]
    flags = [table.type_of(column) == "bool" for column in fields]
    rows = [
        [_value(row[c.field_name], is_flag=flag) for c, flag in zip(fields, flags, strict=True)]
        for row in page.rows
    ]
    if with_id:
        rows = [[row_id, *row] for row_id, row in zip(page.ids, rows, strict=True)]
        ids = ["_id", *ids]
    if form in ("csv", "tsv"):
        return _text_rows(rows, "," if form == "csv" else "\t")
    if form == "lists":
        return [[json_value(value) for value in row] for row in rows]
    return [{k: json_value(v) for k, v in zip(ids, row, strict=True)} for row in rows]


def _value(value: Any, *, is_flag: bool) -> Any:
    return value == "true" if is_flag and value is not None else value


def _text_rows(rows: list[list[Any]], delimiter: str) -> str:
    """Return the rows as text without a header, as CKAN does."""
    target = io.StringIO()
    writer = csv.writer(target, delimiter=delimiter, lineterminator="\n")
    for row in rows:
        writer.writerow(decimal_text(v) if isinstance(v, Decimal) else json_value(v) for v in row)
    return target.getvalue()


def _links(offset: int, limit: int) -> dict[str, str]:
    """Return where the first and the next page are, as the call came (by GET; by POST: its path)."""
    given = {k: v for k, v in request.args.items() if k not in ("offset",)}
    links = {
        "start": f"{request.path}?{urlencode(given)}",
        "next": f"{request.path}?{urlencode({**given, 'offset': offset + limit})}",
    }
    if offset:
        before = {**given, "offset": max(0, offset - limit)}
        links["prev"] = f"{request.path}?{urlencode(before)}"
    return links


class DatastoreInfo(Input):
    id: str = Field(
        min_length=1, max_length=LONGEST_KEY, validation_alias=AliasChoices("id", "resource_id")
    )


def datastore_info(call: Call, given: DatastoreInfo) -> dict[str, Any]:
    """Return the columns of a table and the number of its rows."""
    table = open_wire_table(call, given.id)
    info = table.info
    return {
        "fields": [
            {
                **table.field(column),
                "schema": {
                    "native_type": table.type_of(column),
                    "notnull": column.blank_count == 0,
                    "index_name": None,
                    "is_index": column.field_name in info.key_fields,
                    "uniquekey": column.field_name in info.key_fields,
                },
            }
            for column in info.columns
        ],
        "meta": {
            "id": given.id,
            "count": info.row_count,
            "table_type": "BASE TABLE",
            "size": info.parquet_bytes,
            "aliases": [],
        },
    }


ACTIONS = (
    Action("datastore_search", Access.PUBLIC, datastore_search, DatastoreSearch),
    Action("datastore_info", Access.PUBLIC, datastore_info, DatastoreInfo),
)
