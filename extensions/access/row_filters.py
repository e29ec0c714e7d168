"""行范围: filters that an agency sets at approval and the gateway adds to every call.

They are typed as the filters of a call are, and are checked against the table (or, before there
is one, against the information items), so that a filter that no longer fits is seen, not dropped.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portal.errors import Defect, Invalid
from portal.rules.entry_content import EntryContent, InformationItem
from portal.tables.column_types import ColumnType
from portal.tables.info import Column, TableInfo
from portal.tables.query import Filter, TableQuery, compile_query

MAX_ROW_FILTERS = 5
WORDS = {
    "eq": "等于",
    "ne": "不等于",
    "lt": "小于",
    "le": "不大于",
    "gt": "大于",
    "ge": "不小于",
    "in": "之一（逗号分隔）",
    "contains": "包含",
    "is_blank": "为空",
    "not_blank": "不为空",
}
_TYPES = {
    "integer": ColumnType.INTEGER,
    "number": ColumnType.NUMBER,
    "money": ColumnType.NUMBER,
    "double": ColumnType.NUMBER,
    "float": ColumnType.NUMBER,
    "date": ColumnType.DATE,
    "datetime": ColumnType.DATETIME,
}
_SQL_TYPES = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.NUMBER: "DECIMAL(38,10)",
    ColumnType.DATE: "DATE",
    ColumnType.DATETIME: "TIMESTAMP",
}


def filter_of(stored: Mapping[str, str]) -> Filter:
    """Return the filter of a kept one ({field, op, value})."""
    value = stored.get("value", "")
    listed = [part.strip() for part in value.replace("，", ",").split(",") if part.strip()]
    return Filter(stored["field"], stored["op"], listed if stored["op"] == "in" else value)


def as_stored(one: Filter) -> dict[str, str]:
    value = one.value if isinstance(one.value, str) else ",".join(one.value)
    return {"field": one.column, "op": one.op, "value": value}


def filters_of(stored: Sequence[Mapping[str, str]] | None) -> tuple[Filter, ...]:
    return tuple(filter_of(one) for one in stored or ())


def in_words(stored: Sequence[Mapping[str, str]] | None, names: Mapping[str, str]) -> list[str]:
    """Return each filter as an agreement states it: “区县”等于“朝阳区”."""
    found = []
    for one in stored or ():
        said = f"“{names.get(one['field'], one['field'])}”{WORDS[one['op']].partition('（')[0]}"
        if one["op"] not in ("is_blank", "not_blank"):
            said += f"“{one['value']}”"
        found.append(said)
    return found


def item_table(content: EntryContent, fields: Sequence[str] | None = None) -> TableInfo:
    """Return a table of the information items alone, without rows (of `fields`, None for all)."""
    wanted = None if fields is None else frozenset(fields)
    columns = tuple(
        _column(item) for item in content.items if wanted is None or item.field_name in wanted
    )
    return TableInfo("", 0, 0, columns)


def _column(item: InformationItem) -> Column:
    kind = _TYPES.get(item.data_type, ColumnType.TEXT)
    return Column(item.name, item.field_name, kind, _SQL_TYPES[kind])


def row_filter_defects(filters: Sequence[Filter], table: TableInfo) -> list[Defect]:
    """Return what is wrong with filters, all by the form's field `row_filters`."""
    if len(filters) > MAX_ROW_FILTERS:
        return [_defect("too_many", "行范围最多{max}条。", max=MAX_ROW_FILTERS)]
    unknown = [one.op for one in filters if one.op not in WORDS]
    if unknown:
        return [_defect("unknown_operator", "请选择行范围的运算。")]
    try:
        compile_query(table, TableQuery(filters=tuple(filters), limit=0))
    except Invalid as error:
        return [
            Defect("row_filters", defect.code, defect.message, defect.params)
            for defect in error.defects
        ]
    return []


def _defect(code: str, message: str, **params: Any) -> Defect:
    return Defect("row_filters", code, message, params)


def fits(row: Mapping[str, Any], filters: Sequence[Filter], table: TableInfo) -> bool:
    """Say whether a typed row fits every filter, as the table's own SQL would say it."""
    return all(_fits(row[one.column], one, table.column(one.column).type) for one in filters)


def _fits(value: Any, one: Filter, kind: ColumnType) -> bool:
    if one.op in ("is_blank", "not_blank"):
        return (value is None) == (one.op == "is_blank")
    texts = [one.value] if isinstance(one.value, str) else list(one.value)
    wanted = [_value(text, kind) for text in texts]
    if value is None:
        return one.op == "ne"
    if one.op == "contains":
        return str(wanted[0]).lower() in str(value).lower()
    if one.op == "in":
        return value in wanted
    return bool(_COMPARE[one.op](value, wanted[0]))


def _value(text: str, kind: ColumnType) -> Any:
    if kind in (ColumnType.INTEGER, ColumnType.NUMBER):
        return Decimal(text.strip())
    if kind is ColumnType.DATE:
        return date.fromisoformat(text.strip())
    return datetime.fromisoformat(text.strip()) if kind is ColumnType.DATETIME else text


_COMPARE = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
