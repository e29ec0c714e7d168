"""Information items from a list of database columns, or from a file of the data itself."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from harvesters.open_list.faults import UnreadableList
from harvesters.open_list.sheet import read_sheets
from portal.errors import Invalid
from portal.rules.database_columns import is_column_list, items_of_columns, tables_in
from portal.rules.entry_content import InformationItem
from portal.storage.local import LocalStorage
from portal.tables.column_types import ColumnType
from portal.tables.info import Column, TableInfo
from portal.tables.reader import Reading, read_as
from portal.tables.store import build_table

MAX_BYTES = 20 * 1024 * 1024
MAX_ITEMS = 1000
LENGTHS = (10, 20, 50, 100, 200, 500, 1000, 2000, 4000)
_TYPES = {
    ColumnType.INTEGER: "integer",
    ColumnType.NUMBER: "number",
    ColumnType.DATE: "date",
    ColumnType.DATETIME: "datetime",
}


@dataclass(frozen=True)
class ItemsFound:
    """`kind`: columns (a list of database columns) or data; `tables` that the list describes."""

    kind: str
    items: tuple[InformationItem, ...]
    tables: tuple[str, ...] = ()
    table: str = ""


def read_items(data: bytes, filename: str, *, table: str = "") -> ItemsFound:
    """Return the items that a file tells: an `information_schema` export, or data with a header.

    Args:
        table: which one of the tables that the export describes; "" the first.

    Raises:
        Invalid: it cannot be read, or tells no columns.
    """
    if len(data) > MAX_BYTES:
        raise Invalid.one("file", "too_large", "文件不能超过{n}MB。", n=MAX_BYTES // 1024 // 1024)
    listed = _column_list(data, filename)
    if listed is None:
        return _distinct(ItemsFound("data", tuple(_items_of_data(data, filename))))
    header, rows = listed
    tables = tables_in(header, rows)
    if table and table not in tables:
        raise Invalid.one("table", "unknown", "文件中没有名为“{table}”的表。", table=table)
    chosen = table or (tables[0] if tables else "")
    items = items_of_columns(header, rows, chosen)
    return _distinct(ItemsFound("columns", tuple(items), tuple(tables), chosen))


def _column_list(
    data: bytes, filename: str
) -> tuple[Sequence[str], Sequence[Sequence[str]]] | None:
    """Return header and rows if the file is a list of database columns, in CSV, XLSX or JSON."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{"):
        return _json_rows(data)
    try:
        sheets = read_sheets(data, filename)
    except UnreadableList:
        return None  # as data it may be readable, or its reader says what is wrong
    rows = sheets[0].rows if sheets else []
    if not rows or not is_column_list(rows[0]):
        return None
    return rows[0], rows[1:]


def _json_rows(data: bytes) -> tuple[Sequence[str], Sequence[Sequence[str]]] | None:
    try:
        read: Any = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return None
    if isinstance(read, Mapping):  # {"columns": […]} or {"rows": […]}, as tools write it
        read = next((value for value in read.values() if isinstance(value, list)), [])
    records = [one for one in read if isinstance(one, Mapping)][: MAX_ITEMS * 50]
    header = list(dict.fromkeys(str(key) for one in records for key in one))
    if not is_column_list(header):
        return None
    return header, [[_text(one.get(name)) for name in header] for one in records]


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _items_of_data(data: bytes, filename: str) -> list[InformationItem]:
    with tempfile.TemporaryDirectory() as folder:
        storage = LocalStorage(Path(folder))
        stored = storage.put(io.BytesIO(data))
        with read_as(Path(storage.local_path(stored.sha256)), filename, Reading()) as parsed:
            return items_of_table(build_table(parsed, storage))


def items_of_table(info: TableInfo) -> list[InformationItem]:
    """Return one item for each column of a table that was read from a file."""
    key = info.key_fields[:1]
    return [
        replace(_item_of(column, number), primary_key=column.field_name in key)
        for number, column in enumerate(info.columns, 1)
    ]


def _item_of(column: Column, number: int) -> InformationItem:
    kind = _TYPES.get(column.type, "string")
    length: int | None = None
    if kind == "string":
        length = next((n for n in LENGTHS if n >= (column.max_length or 1)), None)
        kind = kind if length else "text"
    elif kind == "number":
        length = 18
    return InformationItem(
        order=number,
        name=column.name[:100],
        field_name=column.field_name,
        data_type=kind,
        length=length,
        precision=column.decimal_places if kind == "number" else None,
        nullable=column.blank_count > 0,
    )


def _distinct(found: ItemsFound) -> ItemsFound:
    """Let no two items have one name or one field name.

    Raises:
        Invalid: there are none, or too many.
    """
    if not found.items:
        raise Invalid.one(
            "file", "no_columns", "文件中没有找到列。请上传列清单或带表头的数据文件。"
        )
    if len(found.items) > MAX_ITEMS:
        raise Invalid.one("file", "too_many", "信息项不能超过{n}个。", n=MAX_ITEMS)
    names: set[str] = set()
    fields: set[str] = set()
    items = []
    for item in found.items:
        name, field = _free(item.name, names), _free(item.field_name, fields)
        items.append(replace(item, name=name, field_name=field))
    return replace(found, items=tuple(items))


def _free(name: str, taken: set[str]) -> str:
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name[:58]}_{number}"
    taken.add(candidate)
    return candidate


def merge_items(
    standing: Sequence[InformationItem], found: Sequence[InformationItem], *, replace_all: bool
) -> tuple[InformationItem, ...]:
    """Return the items of the entry after the import, numbered anew.

    Those that stand already (same field name) keep what people said of them; with `replace_all`
    those that the file lacks go.
    """
    known = {item.field_name: item for item in standing}
    kept = [] if replace_all else list(standing)
    names = {item.field_name for item in kept}
    for item in found:
        if item.field_name not in names:
            kept.append(known.get(item.field_name, item))
    return tuple(replace(item, order=n) for n, item in enumerate(kept, 1))
