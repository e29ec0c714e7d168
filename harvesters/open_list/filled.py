"""The spreadsheet of `template`, filled in: a whole list written out so that it can be sent back."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from harvesters.codes import CodeBook, data_rows
from harvesters.open_list.columns import headings
from harvesters.open_list.fields import (
    ITEM_CODES,
    ITEM_CODES_EVEN_NONE,
    LIST_CODES,
    LIST_MANY_CODES,
)
from harvesters.record import Codes

LIST_SHEET, ITEMS_SHEET = "开放清单", "信息项"
BASES = ("closed_basis", "share_basis", "collection_basis")
KINDS = {"law": "法律", "regulation": "法规", "rule": "规章", "other": "其他"}
_RUNS = tuple("=+-@\t\r")


def write_filled(codes: Codes, records: Iterable[Mapping[str, Any]]) -> bytes:
    """Return an XLSX that `read_open_list` reads back to the same records.

    Args:
        codes: as for `read_open_list`; cells show names.
        records: fields of the list, `items` a sequence of fields of the items.
    """
    from openpyxl import Workbook  # slow to load, and seldom asked for

    book = Workbook(write_only=True)
    known = CodeBook(codes)
    fields, item_fields = _fields("list"), _fields("items")
    item_rows: list[list[str]] = []
    sheet = book.create_sheet(LIST_SHEET)
    sheet.append([headings("list")[name] for name in fields])
    for record in records:
        sheet.append(_cells(sheet, [_list_text(name, record.get(name), known) for name in fields]))
        item_rows += (
            [_item_text(name, {**item, **_owner(record)}, known) for name in item_fields]
            for item in record.get("items", ())
        )
    items = book.create_sheet(ITEMS_SHEET)
    items.append([headings("items")[name] for name in item_fields])
    for row in item_rows:
        items.append(_cells(items, row))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _fields(kind: str) -> list[str]:
    return [row["field"] for row in data_rows("template_notes") if row["sheet"] == kind]


def _owner(record: Mapping[str, Any]) -> dict[str, str]:
    return {"title": record["title"], "code": record.get("code", "")}


def _cells(sheet: Any, texts: Sequence[str]) -> list[Any]:
    """Return cells that no program runs: what looks like a formula is marked as text."""
    from openpyxl.cell import WriteOnlyCell

    cells: list[Any] = []
    for text in texts:
        if text[:1] not in _RUNS:
            cells.append(text or None)
            continue
        cell = WriteOnlyCell(sheet, value=text)
        cell.data_type = "s"
        cells.append(cell)
    return cells


def _list_text(name: str, value: Any, codes: CodeBook) -> str:
    if value in (None, "", (), []):
        return ""
    if name in BASES:
        return "；".join(_basis(one) for one in value)
    if name in LIST_CODES:
        return _shown(codes, LIST_CODES[name], str(value))
    if name in LIST_MANY_CODES:
        return "、".join(_shown(codes, LIST_MANY_CODES[name], str(one)) for one in value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, str) else "、".join(map(str, value))


def _shown(codes: CodeBook, list_name: str, code: str) -> str:
    """Return the code's name where the name alone leads back to it, else the code."""
    name = codes.name(list_name, code)
    return name if codes.find(list_name, name) == code and not set(name) & set("、，；") else code


def _basis(basis: Mapping[str, str]) -> str:
    if basis["kind"] == "consent":
        return "被采集人同意"
    kind = KINDS.get(basis["kind"])
    number = f"（{basis['document_number']}）" if basis.get("document_number") else ""
    head = f"{kind}：" if kind else ""
    return f"{head}《{basis.get('title', '')}》{number}{basis.get('article', '')}"


def _item_text(name: str, item: Mapping[str, Any], codes: CodeBook) -> str:
    value = item.get(name)
    if isinstance(value, bool):
        return "是" if value else "否"
    if value in (None, ""):
        return ""
    lists = {**ITEM_CODES, **ITEM_CODES_EVEN_NONE}
    return _shown(codes, lists[name], str(value)) if name in lists else str(value)
