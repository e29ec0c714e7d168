"""Rows grouped by one column, with a number for each group: what a chart is drawn from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from portal.errors import Defect, Invalid
from portal.tables.column_types import ColumnType
from portal.tables.info import Column, TableInfo

FUNCTIONS = ("count", "sum", "mean", "min", "max")
UNITS = ("year", "month", "day")
CITY, COUNTY = "city", "county"  # units of a column of region codes (GB/T 2260)
MAX_GROUPS = 200
NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.NUMBER})
MOMENTS = frozenset({ColumnType.DATE, ColumnType.DATETIME})
_SHAPES = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}
_CODE_LENGTHS = {CITY: 4, COUNTY: 6}
_PERIOD = re.compile(
    r"(19|20)\d\d(年?|[-/.年]?(0?[1-9]|1[0-2])月?|[-年]?(Q|第)?[1-4一二三四](季度?)?)"
)
_SQL = {"sum": "sum", "mean": "avg", "min": "min", "max": "max"}


@dataclass(frozen=True)
class GroupQuery:
    """`by` and `of` are field names; `of` is not needed to count."""

    by: str
    function: str = "count"
    of: str = ""
    unit: str = ""  # of dates: one of UNITS, "" the one that fits the range; of codes: city, county


@dataclass(frozen=True)
class Group:
    label: str | None  # None: the blank values of the column
    value: Decimal | float | int | None
    rows: int


@dataclass(frozen=True)
class Groups:
    """The largest groups first; of dates and numbers in their own order."""

    groups: tuple[Group, ...]
    total: int  # of all groups; more than there are in `groups` where only the first are given
    unit: str


@dataclass(frozen=True)
class CompiledGroups:
    select: str
    order: str
    unit: str


def compile_groups(info: TableInfo, query: GroupQuery) -> CompiledGroups:
    """Check a grouping against the table's columns.

    Raises:
        Invalid: every defect at once, by parameter (group, function, of, unit).
    """
    known = {column.field_name: column for column in info.columns}
    defects: list[Defect] = []
    by = _known(query.by, known, "group", defects)
    value = "count(*)"
    if query.function not in FUNCTIONS:
        params = {"value": query.function[:20]}
        defects.append(Defect("function", "unknown", "没有统计方式“{value}”。", params))
    elif query.function != "count":
        of = _known(query.of, known, "of", defects)
        if of is not None and of.type not in NUMBERS:
            params = {"name": of.name}
            defects.append(
                Defect("of", "not_number", "列“{name}”不是数字，不能求和或平均。", params)
            )
        elif of is not None:
            value = f'{_SQL[query.function]}("{of.field_name}")'
    if query.unit and query.unit not in (*UNITS, *_CODE_LENGTHS):
        defects.append(Defect("unit", "unknown", "没有这种分组单位。"))
    if defects or by is None:
        raise Invalid(defects)
    return _compiled(by, value, query.unit)


def _known(
    name: str, known: Mapping[str, Column], field: str, defects: list[Defect]
) -> Column | None:
    column = known.get(name)
    if column is None:
        message = "没有名为“{name}”的列。" if name else "请选择一列。"
        defects.append(Defect(field, "unknown_column", message, {"name": name[:64]}))
    return column


def _compiled(by: Column, value: str, unit: str) -> CompiledGroups:
    name = f'"{by.field_name}"'
    if by.type in MOMENTS:
        unit = unit if unit in UNITS else fitting_unit(by)
        key, order = f"strftime({name}, '{_SHAPES[unit]}')", "label NULLS LAST"
    elif by.type is ColumnType.TEXT and unit in _CODE_LENGTHS:
        length = _CODE_LENGTHS[unit]
        key, order = f"rpad(left({name}, {length}), 6, '0')", "label NULLS LAST"
    elif is_period(by):
        unit, key, order = "", name, "label NULLS LAST"
    else:
        unit = ""
        key = f"{name}::VARCHAR"
        order = f"min({name}) NULLS LAST" if by.type in NUMBERS else "value DESC NULLS LAST, label"
    return CompiledGroups(
        f"{key} AS label, {value} AS value, count(*) AS n, count(*) OVER () AS total", order, unit
    )


def is_period(column: Column) -> bool:
    """Whether a text column holds years, quarters or months: they keep their own order."""
    ends = (column.minimum or "", column.maximum or "")
    return column.type is ColumnType.TEXT and all(map(_PERIOD.fullmatch, ends))


def fitting_unit(column: Column) -> str:
    """Return the unit that gives some dozens of groups over the column's range."""
    low, high = column.minimum or "", column.maximum or ""
    if low[:4].isdigit() and high[:4].isdigit():
        years = int(high[:4]) - int(low[:4])
        if years > 5:
            return "year"
        if years or low[:7] != high[:7]:
            return "month"
    return "day"


def groups_of(rows: list[tuple[Any, ...]], unit: str) -> Groups:
    found = tuple(Group(label, _number(value), count) for label, value, count, _ in rows)
    return Groups(found, rows[0][3] if rows else 0, unit)


def _number(value: Any) -> Decimal | float | int | None:
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value.normalize() if isinstance(value, Decimal) else value
