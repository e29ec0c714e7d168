"""What may be asked of a table, and its SQL: names from the known columns, values as parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portal.errors import Defect, Invalid
from portal.tables.column_types import ColumnType
from portal.tables.info import Column, TableInfo

OPERATORS = (
    "eq", "ne", "lt", "le", "gt", "ge", "contains", "in", "is_blank", "not_blank",
)  # fmt: skip
DEFAULT_PAGE_ROWS = 100
MAX_PAGE_ROWS = 10_000
MAX_OFFSET = 100_000  # beyond it, page by `after_id`: a deep offset sorts everything before it
MAX_FILTERS = 20
MAX_SORTS = 5
MAX_LIST_VALUES = 200
MAX_VALUE_LENGTH = 1000
MAX_ID = 2**53

_COMPARISONS = {"eq": "=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_INTEGER = re.compile(r"[-+]?\d{1,18}")
_NUMBER = re.compile(r"[-+]?(\d{1,35}(\.\d{0,20})?|\.\d{1,20})")
_EXPECTED = {
    ColumnType.INTEGER: "整数，如 12",
    ColumnType.NUMBER: "数字，如 12.5",
    ColumnType.DATE: "日期，如 2025-03-01",
    ColumnType.DATETIME: "日期时间，如 2025-03-01 08:30",
}


@dataclass(frozen=True)
class Filter:
    """`value` is text as it came; a list of texts for `in`, ignored for the blank tests."""

    column: str  # a field name
    op: str  # one of OPERATORS
    value: str | Sequence[str] = ""


@dataclass(frozen=True)
class TableQuery:
    """Rows of one table. Without `sort` they come in the order of the file."""

    columns: Sequence[str] = ()  # field names; empty: all, in their order
    filters: Sequence[Filter] = ()
    q: str = ""  # somewhere in any text column, upper and lower case alike
    sort: Sequence[tuple[str, bool]] = ()  # (field name, descending); blanks come last
    limit: int | None = DEFAULT_PAGE_ROWS  # None: all, for exports only
    offset: int = 0
    after_id: int | None = None  # rows behind this `_id`; not together with sort or offset


@dataclass(frozen=True)
class CompiledQuery:
    """Parts of the SQL over the table `rows`, with their parameters."""

    columns: tuple[Column, ...]
    where: str  # " WHERE …" or empty
    parameters: tuple[Any, ...]
    filter_where: str  # the same without `after_id`, to count what fits the filters
    filter_parameters: tuple[Any, ...]
    order: str  # " ORDER BY …"; empty: the order of the file
    limit: int | None
    offset: int

    @property
    def page(self) -> str:
        """LIMIT and OFFSET: whole numbers that were checked, no text."""
        limit = "" if self.limit is None else f" LIMIT {self.limit:d}"
        return limit + (f" OFFSET {self.offset:d}" if self.offset else "")


def compile_query(info: TableInfo, query: TableQuery, *, whole: bool = False) -> CompiledQuery:
    """Check a query against the table's columns; `whole` allows exports without a limit.

    Raises:
        Invalid: every defect at once, by parameter.
    """
    known = {column.field_name: column for column in info.columns}
    defects = _bound_defects(query, whole)
    columns = _known(query.columns or list(known), known, "columns", defects)
    conditions: list[str] = []
    parameters: list[Any] = []
    for number, one in enumerate(query.filters[:MAX_FILTERS]):
        sql, values = _condition(one, known, f"filters.{number}", defects)
        conditions.append(sql)
        parameters += values
    if query.q.strip():
        sql, values = _search(_writable(query.q.strip()), info.columns)
        conditions.append(sql)
        parameters += values
    directions = dict(reversed(list(query.sort)))  # a column named twice: the first counts
    sorted_by = _known([name for name, _ in query.sort], known, "sort", defects)
    if defects:
        raise Invalid(defects)
    after = [] if query.after_id is None else [query.after_id]
    return CompiledQuery(
        columns=tuple(columns),
        where=_where([*conditions, "_id > ?"] if after else conditions),
        parameters=(*parameters, *after),
        filter_where=_where(conditions),
        filter_parameters=tuple(parameters),
        order=_order(sorted_by, directions, in_file_order=_keeps_order(info, query)),
        limit=query.limit,
        offset=query.offset,
    )


def _where(conditions: Sequence[str]) -> str:
    return " WHERE " + " AND ".join(conditions) if conditions else ""


def _bound_defects(query: TableQuery, whole: bool) -> list[Defect]:
    defects = []

    def check(wrong: bool, field: str, message: str, **params: Any) -> None:
        if wrong:
            defects.append(Defect(field, "out_of_range", message, params))

    limit = query.limit
    check(
        (limit is None and not whole)
        or (limit is not None and (limit < 0 or (limit > MAX_PAGE_ROWS and not whole))),
        "limit", "每页行数须为 0 到 {most} 的整数。", most=MAX_PAGE_ROWS,
    )  # fmt: skip
    check(
        not 0 <= query.offset <= MAX_OFFSET,
        "offset", "起始行须为 0 到 {most} 的整数；更靠后的行请用 after_id 逐页读取。", most=MAX_OFFSET,
    )  # fmt: skip
    check(
        query.after_id is not None and not 0 <= query.after_id <= MAX_ID,
        "after_id", "after_id 须为上一页给出的行号。",
    )  # fmt: skip
    check(
        query.after_id is not None and bool(query.sort or query.offset),
        "after_id", "after_id 不能与排序或起始行同时使用。",
    )  # fmt: skip
    check(len(query.filters) > MAX_FILTERS, "filters", "筛选条件最多 {most} 个。", most=MAX_FILTERS)
    check(len(query.sort) > MAX_SORTS, "sort", "排序列最多 {most} 个。", most=MAX_SORTS)
    check(len(query.q) > MAX_VALUE_LENGTH, "q", "检索词最多 {most} 个字。", most=MAX_VALUE_LENGTH)
    return defects


def _known(
    names: Sequence[str], known: dict[str, Column], field: str, defects: list[Defect]
) -> list[Column]:
    found = []
    for name in dict.fromkeys(names):
        if name in known:
            found.append(known[name])
        else:
            defects.append(_unknown(name, known, field))
    return found


def _unknown(name: str, known: dict[str, Column], field: str) -> Defect:
    params = {"name": str(name)[:64], "known": "、".join(known)[:400]}
    return Defect(field, "unknown_column", "没有名为“{name}”的列；可用的列：{known}。", params)


def _condition(
    one: Filter, known: dict[str, Column], field: str, defects: list[Defect]
) -> tuple[str, list[Any]]:
    column = known.get(one.column)
    if column is None:
        defects.append(_unknown(one.column, known, field))
        return "TRUE", []
    name = f'"{column.field_name}"'
    if one.op in ("is_blank", "not_blank"):
        return f"{name} IS {'NOT ' if one.op == 'not_blank' else ''}NULL", []
    problem = _operator_problem(one, column)
    if problem:
        defects.append(Defect(field, *problem))
        return "TRUE", []
    texts = list(one.value) if one.op == "in" else [str(one.value)]
    values = [_parsed(text, column, field, defects) for text in texts]
    if one.op == "contains":
        return _contains(name, str(values[0]))
    if one.op == "in":
        return f"{name} IN ({', '.join('?' for _ in values)})", values
    if one.op == "ne":  # a blank is unequal to any value
        return f"{name} IS DISTINCT FROM ?", values
    return f"{name} {_COMPARISONS[one.op]} ?", values


def _operator_problem(one: Filter, column: Column) -> tuple[str, str, dict[str, Any]] | None:
    if one.op not in OPERATORS:
        params = {"op": str(one.op)[:20], "known": "、".join(OPERATORS)}
        return "unknown_operator", "不认识运算“{op}”；可用：{known}。", params
    if one.op == "in":
        if isinstance(one.value, str) or not 1 <= len(one.value) <= MAX_LIST_VALUES:
            return "bad_list", "运算 in 需要 1 到 {most} 个值的列表。", {"most": MAX_LIST_VALUES}
    elif not isinstance(one.value, str):
        return "bad_value", "运算 {op} 只接受一个值。", {"op": one.op}
    if one.op == "contains" and column.type is not ColumnType.TEXT:
        return "not_text", "列“{name}”不是文本，不能用 contains 筛选。", {"name": column.name}
    return None


def _parsed(text: str, column: Column, field: str, defects: list[Defect]) -> Any:
    """Return the value in the column's type; a defect and None when it is not one."""
    text = str(text)[: MAX_VALUE_LENGTH + 1]
    if len(text) > MAX_VALUE_LENGTH:
        most = {"most": MAX_VALUE_LENGTH}
        defects.append(Defect(field, "too_long", "筛选值最多 {most} 个字。", most))
        return None
    if column.type is ColumnType.TEXT:
        return _writable(text)
    try:
        return _parse(text.strip(), column.type)
    except ValueError:
        params = {"name": column.name, "value": text[:40], "expected": _EXPECTED[column.type]}
        message = "列“{name}”的筛选值“{value}”不对，应为{expected}。"
        defects.append(Defect(field, "bad_value", message, params))
        return None


def _parse(text: str, kind: ColumnType) -> Any:
    if kind is ColumnType.INTEGER and _INTEGER.fullmatch(text):
        return int(text)
    if kind in (ColumnType.INTEGER, ColumnType.NUMBER):
        if not _NUMBER.fullmatch(text):
            raise ValueError(text)
        return Decimal(text)  # 1.5 also compares well with whole numbers
    if kind is ColumnType.DATE:
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        raise ValueError(text)
    return moment


def _search(q: str, columns: Sequence[Column]) -> tuple[str, list[Any]]:
    texts = [column for column in columns if column.type is ColumnType.TEXT]
    if not texts:
        return "FALSE", []
    found = [_contains(f'"{column.field_name}"', q) for column in texts]
    return f"({' OR '.join(sql for sql, _ in found)})", [
        one for _, values in found for one in values
    ]


def _contains(name: str, text: str) -> tuple[str, list[Any]]:
    """Upper and lower case alike; Chinese has none, and comparing as it is takes half the time."""
    if text.lower() == text.upper():
        return f"contains({name}, ?)", [text]
    return f"contains(lower({name}), ?)", [text.lower()]


def _keeps_order(info: TableInfo, query: TableQuery) -> bool:
    """Whether rows come in the order of the file by themselves.

    One row does; so does a scan, with a limit too (DuckDB promises it for FROM, WHERE and LIMIT
    while `preserve_insertion_order` stands), and sorting a whole table for a page costs several
    times the page. A look-up of several keys through their index does not.
    """
    keyed = {one.op for one in query.filters if one.column in info.key_fields}
    if query.limit is None:
        return "eq" in keyed or "in" not in keyed
    return "eq" in keyed or not keyed


def _order(columns: Sequence[Column], descending: dict[str, bool], *, in_file_order: bool) -> str:
    if not columns:
        return "" if in_file_order else " ORDER BY _id"
    parts = [
        f'"{column.field_name}" {"DESC" if descending[column.field_name] else "ASC"} NULLS LAST'
        for column in columns
    ]
    return " ORDER BY " + ", ".join([*parts, "_id"])


def _writable(text: str) -> str:
    """Replace lone surrogates, which bad bytes in an address leave and no database takes."""
    return text.encode("utf-8", "replace").decode()
