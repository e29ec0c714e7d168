"""Information items against the columns of the file: what fits, and every difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portal.codes import code_list
from portal.rules.entry_content import InformationItem
from portal.tables.column_types import ColumnType
from portal.tables.info import Column, TableInfo

_TEXTS = frozenset({"string", "text", "binary", "boolean"})
_FITTING = {  # data type of an item: types of a column that hold it
    "number": {ColumnType.INTEGER, ColumnType.NUMBER},
    "money": {ColumnType.INTEGER, ColumnType.NUMBER},
    "double": {ColumnType.INTEGER, ColumnType.NUMBER},
    "float": {ColumnType.INTEGER, ColumnType.NUMBER},
    "integer": {ColumnType.INTEGER},
    "date": {ColumnType.DATE},
    "datetime": {ColumnType.DATETIME, ColumnType.DATE},
}


@dataclass(frozen=True)
class Difference:
    """`message` is a Chinese sentence with `{params}`; the page translates it."""

    kind: str  # no_column, no_item, type, length, blank, repeated, order
    message: str
    params: dict[str, object]


@dataclass(frozen=True)
class Match:
    """One item, one column, or both."""

    item: InformationItem | None
    column: Column | None
    differences: tuple[Difference, ...]


def match_columns(items: Sequence[InformationItem], info: TableInfo) -> list[Match]:
    """Pair items and columns by name or field name; items first, then columns without one."""
    by_name = {column.name.casefold(): column for column in info.columns}
    by_field = {column.field_name: column for column in info.columns}
    matches, taken = [], set()
    for item in sorted(items, key=lambda one: one.order):
        column = by_name.get(item.name.casefold()) or by_field.get(item.field_name)
        if column is None:
            column = by_name.get(item.field_name.casefold())
        if column is not None and column.field_name in taken:
            column = None
        if column is None:
            missing = Difference("no_column", "文件里没有这一列", {})
            matches.append(Match(item, None, (missing,)))
            continue
        taken.add(column.field_name)
        matches.append(Match(item, column, tuple(_differences(item, column, info))))
    extra = Difference("no_item", "信息项里没有这一列", {})
    matches += [
        Match(None, column, (extra,)) for column in info.columns if column.field_name not in taken
    ]
    return matches


def _differences(item: InformationItem, column: Column, info: TableInfo) -> list[Difference]:
    found = []

    def note(kind: str, message: str, **params: object) -> None:
        found.append(Difference(kind, message, params))

    fitting = _FITTING.get(item.data_type)
    filled = column.blank_count < info.row_count
    if fitting and filled and column.type not in fitting:
        name = code_list("data_types").label(item.data_type, "zh")
        note("type", "信息项写的是{expected}，文件里不全是", expected=name)
    if item.data_type in _TEXTS and item.length and (column.max_length or 0) > item.length:
        note(
            "length",
            "信息项长度为 {expected}，文件里最长 {found} 个字",
            expected=item.length,
            found=column.max_length,
        )
    if not item.nullable and column.blank_count:
        note("blank", "信息项不可为空，文件里有 {found} 行空白", found=column.blank_count)
    repeated = info.row_count - column.blank_count - column.distinct_count
    if item.primary_key and column.distinct_exact and repeated > 0:
        note("repeated", "信息项是主键，文件里有 {found} 行重复", found=repeated)
    return found
