"""The table preview: what an address asks of a table, and the links that ask something else.

Parameters: `table` (id of the file), `tq` (search), `f.NAME` (filter of a column), `by` (column to
sort by, `-` before it: downwards), `rows` (page number), and those of `preview_views`. The export
takes the same ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from portal.errors import Invalid
from portal.tables.cache import TableCache, TablePage
from portal.tables.column_types import ColumnType
from portal.tables.info import Column, TableInfo
from portal.tables.places import find_places
from portal.tables.query import MAX_OFFSET, Filter, TableQuery
from portal.web.errors import defects_of
from portal.web.kept import Kept
from portal.web.paging import Paging, Pairs, address, page_number
from portal.web.preview_views import (
    CHART,
    MAP,
    PROFILE,
    TABLE,
    GroupView,
    MapView,
    ProfileRow,
    ViewAsked,
    read_view,
    view_groups,
    view_map,
    view_profile,
)

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
    view: ViewAsked = field(default_factory=ViewAsked)
    views: Sequence[tuple[str, str]] = ()  # name of each view that the table has, its address
    groups: GroupView | None = None
    map: MapView | None = None
    profile: Sequence[ProfileRow] = ()

    @property
    def is_first(self) -> bool:
        """The first rows of the table, nothing asked of it."""
        return not self.asked.pairs and not self.view.pairs and self.paging.number == 1

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
    tables: TableCache,
    info: TableInfo,
    args: Mapping[str, str],
    path: str,
    table_id: str,
    kept_profile: Callable[[], Mapping[str, Any] | None] = lambda: None,
) -> Preview:
    """Return the page of rows that the address asks for; a faulty filter shows its defect instead.

    Args:
        kept_profile: reads the profile made when the table was parsed; asked only if it is shown.

    Raises:
        Invalid: the page number is none.
        Unavailable: the query took too long.
    """
    asked, view = read_asked(args), read_view(args)
    number = page_number(args, "rows", MAX_OFFSET // PAGE_ROWS)
    base: Pairs = [("table", table_id), *asked.pairs, *view.pairs]
    paging = Paging(number, PAGE_ROWS, 0, path, base, "rows", ANCHOR)
    defects: Sequence[Mapping[str, str]] = ()
    page, more = TablePage([], 0, info.columns, None), {}
    try:
        if view.view == TABLE:
            page = _page(tables, info, asked, paging.start)
        else:
            more = _other_view(tables, info, asked, view, kept_profile)
            page = _counted(tables, info, asked)
    except Invalid as error:
        defects = defects_of(error)
    total = page.total or 0
    return Preview(
        head=tuple(_head_cell(column, asked, view, path, table_id) for column in info.columns),
        rows=[[_text(row[c.field_name]) for c in info.columns] for row in page.rows],
        total=total,
        paging=replace(paging, total=min(total, MAX_OFFSET)),
        asked=asked,
        defects=defects,
        view=view,
        views=_views(info, asked, view, path, table_id),
        **more,
    )


def _other_view(
    tables: TableCache,
    info: TableInfo,
    asked: Asked,
    view: ViewAsked,
    kept_profile: Callable[[], Mapping[str, Any] | None],
) -> dict[str, Any]:
    query = table_query(info, asked)
    if view.view == CHART:
        return {"groups": view_groups(tables, info, query, view)}
    if view.view == MAP:
        return {"map": view_map(tables, info, query, view)}
    return {"profile": view_profile(tables, info, kept_profile)}


def _counted(tables: TableCache, info: TableInfo, asked: Asked) -> TablePage:
    """Return no rows, but how many fit the filters."""
    return tables.run(info, replace(table_query(info, asked), sort=(), limit=0))


def _views(
    info: TableInfo, asked: Asked, view: ViewAsked, path: str, table_id: str
) -> list[tuple[str, str]]:
    """Return the address of each view; what was filtered and grouped stays."""
    names = [TABLE, CHART, *([MAP] if find_places(info) else []), PROFILE]
    found = []
    for name in names:
        pairs = [("table", table_id), *asked.pairs, *replace(view, view=name).pairs]
        found.append((name, address(path, pairs, ANCHOR)))
    return found


_first_pages: Kept[TablePage] = Kept(seconds=3600)


def _page(tables: TableCache, info: TableInfo, asked: Asked, start: int) -> TablePage:
    """The first rows of a table never change: its name is the hash of its content."""
    query = replace(table_query(info, asked), limit=PAGE_ROWS, offset=start)
    if asked.pairs or start:
        return tables.run(info, query)
    key = (info.parquet_sha256, *(column.field_name for column in info.columns))
    return _first_pages.get(key, lambda: tables.run(info, query))


def _head_cell(column: Column, asked: Asked, view: ViewAsked, path: str, table_id: str) -> HeadCell:
    name = column.field_name
    current = asked.by == name
    order = ("descending" if asked.descending else "ascending") if current else ""
    turned = replace(asked, by=name, descending=current and not asked.descending)
    url = address(path, [("table", table_id), *turned.pairs, *view.pairs], ANCHOR)
    return HeadCell(column, asked.filters.get(name, ""), order, url)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
