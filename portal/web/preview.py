"""The table preview: what an address asks of a table, and the links that ask something else.

Parameters: `table` (id of the file), `tq` (search), `f.NAME` (filter of a column), `by` (column to
sort by, `-` before it: downwards), `rows` (page number). The export takes the same ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from portal.errors import Invalid
from portal.tables.cache import TableCache, TablePage
from portal.tables.column_types import ColumnType
from portal.tables.info import Column, TableInfo
from portal.tables.query import MAX_OFFSET, Filter, TableQuery
from portal.web.errors import defects_of
from portal.web.kept import Kept
from portal.web.paging import Paging, Pairs, address, page_number

PAGE_ROWS = 20
FILTER_PREFIX = "f."
ANCHOR = "preview"
_BOUND = re.compile(r"(>=|<=|!=|>|<|=)\s*(.+)", re.DOTALL)
_OPERATORS = {">=": "ge", "<=": "le", "!=": "ne", ">": "gt", "<": "lt", "=": "eq"}
_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.NUMBER})


@dataclass(frozen=True)
class Asked:
    """What an address asks of a table: texts as they were typed."""

    q: str
    filters: Mapping[str, str]  # field name -> what was typed
    by: str
    descending: bool

    @property
    def pairs(self) -> list[tuple[str, str]]:
        pairs = [("tq", self.q)] if self.q else []
        pairs += [(FILTER_PREFIX + name, text) for name, text in self.filters.items()]
        return pairs + ([("by", ("-" if self.descending else "") + self.by)] if self.by else [])


@dataclass(frozen=True)
class HeadCell:
    """One column of the preview: its filter as typed, and the address that sorts by it."""

    column: Column
    filter: str
    sorted: str  # "", ascending, descending
    url: str

    @property
    def is_number(self) -> bool:
        return self.column.type in _NUMBERS


@dataclass(frozen=True)
class Preview:
    head: tuple[HeadCell, ...]
    rows: list[list[str]]
    total: int
    paging: Paging
    asked: Asked
    defects: Sequence[Mapping[str, str]] = ()  # in the reader's language

    @property
    def is_first(self) -> bool:
        """The first rows of the table, nothing asked of it."""
        return not self.asked.pairs and self.paging.number == 1

    @property
    def is_filtered(self) -> bool:
        return bool(self.asked.q or self.asked.filters)


def read_asked(args: Mapping[str, str]) -> Asked:
    by = args.get("by", "").strip()
    filters = {
        name[len(FILTER_PREFIX) :]: text.strip()
        for name, text in args.items()
        if name.startswith(FILTER_PREFIX) and text.strip()
    }
    return Asked(args.get("tq", "").strip(), filters, by.removeprefix("-"), by.startswith("-"))


def table_query(info: TableInfo, asked: Asked) -> TableQuery:
    """Return the query; `limit` and `offset` are the caller's."""
    kinds = {column.field_name: column.type for column in info.columns}
    filters = [
        one
        for name, text in asked.filters.items()
        for one in column_filters(name, kinds.get(name, ColumnType.TEXT), text)
    ]
    sort = ((asked.by, asked.descending),) if asked.by else ()
    return TableQuery(filters=filters, q=asked.q, sort=sort)


def column_filters(name: str, kind: ColumnType, typed: str) -> list[Filter]:
    """Return the filters for what somebody typed above a column.

    `>=10`, `<2026-01-01`, `=长春`, `!=…` compare; `10..20` is a range of numbers or dates; other
    text is looked for inside a text column, and equals a number or date.
    """
    bound = _BOUND.fullmatch(typed)
    if bound:
        return [Filter(name, _OPERATORS[bound[1]], bound[2].strip())]
    if kind is ColumnType.TEXT:
        return [Filter(name, "contains", typed)]
    low, dots, high = typed.partition("..")
    if dots:
        ends = ((("ge", low.strip())), ("le", high.strip()))
        return [Filter(name, op, value) for op, value in ends if value]
    return [Filter(name, "eq", typed)]


def show_preview(
    tables: TableCache, info: TableInfo, args: Mapping[str, str], path: str, table_id: str
) -> Preview:
    """Return the page of rows that the address asks for; a faulty filter shows its defect instead.

    Raises:
        Invalid: the page number is none.
        Unavailable: the query took too long.
    """
    asked = read_asked(args)
    number = page_number(args, "rows", MAX_OFFSET // PAGE_ROWS)
    base: Pairs = [("table", table_id), *asked.pairs]
    paging = Paging(number, PAGE_ROWS, 0, path, base, "rows", ANCHOR)
    defects: Sequence[Mapping[str, str]] = ()
    try:
        page = _page(tables, info, asked, paging.start)
    except Invalid as error:
        defects = defects_of(error)
        page = TablePage([], 0, info.columns, None)
    total = page.total or 0
    return Preview(
        head=tuple(_head_cell(column, asked, path, table_id) for column in info.columns),
        rows=[[_text(row[c.field_name]) for c in info.columns] for row in page.rows],
        total=total,
        paging=replace(paging, total=min(total, MAX_OFFSET)),
        asked=asked,
        defects=defects,
    )


_first_pages: Kept[TablePage] = Kept(seconds=3600)


def _page(tables: TableCache, info: TableInfo, asked: Asked, start: int) -> TablePage:
    """The first rows of a table never change: its name is the hash of its content."""
    query = replace(table_query(info, asked), limit=PAGE_ROWS, offset=start)
    if asked.pairs or start:
        return tables.run(info, query)
    key = (info.parquet_sha256, *(column.field_name for column in info.columns))
    return _first_pages.get(key, lambda: tables.run(info, query))


def _head_cell(column: Column, asked: Asked, path: str, table_id: str) -> HeadCell:
    name = column.field_name
    current = asked.by == name
    order = ("descending" if asked.descending else "ascending") if current else ""
    turned = replace(asked, by=name, descending=current and not asked.descending)
    url = address(path, [("table", table_id), *turned.pairs], ANCHOR)
    return HeadCell(column, asked.filters.get(name, ""), order, url)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
