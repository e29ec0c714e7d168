"""Rows of a call as an answer: the JSON envelope, or CSV."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from extensions.access.api.parameters import Asked
from extensions.access.masking import is_masked, mask_rows
from extensions.access.services.gate import Admission
from portal.codes import code_list
from portal.tables.cache import TablePage
from portal.tables.column_types import ColumnType
from portal.tables.json_values import decimal_text, dumps, json_rows
from portal.tables.query import MAX_OFFSET

_FORMULA = re.compile(r"\s*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?[\d.,]*")


@dataclass(frozen=True)
class Page:
    """Masked rows of one call and where the next ones are (a path with its query, or "")."""

    rows: list[dict[str, Any]]
    total: int | None
    next: str


def page_of(admission: Admission, asked: Asked, table: TablePage, path: str, given: Any) -> Page:
    rules = {name: item.masking for name, item in admission.items.items()}
    rows = mask_rows(table.rows, rules)
    return Page(rows, table.total, _next(asked, table, path, given))


def _next(asked: Asked, table: TablePage, path: str, given: Any) -> str:
    """Return the address of the next page: by cursor in file order, else by offset."""
    query = asked.query
    if not query.limit or len(table.rows) < query.limit:
        return ""
    kept = [(k, v) for k, v in given.items(multi=True) if k not in ("after_id", "offset")]
    if query.sort or query.offset:
        following = query.offset + query.limit
        if following > MAX_OFFSET or (table.total is not None and following >= table.total):
            return ""
        return f"{path}?{urlencode([*kept, ('offset', following)])}"
    return f"{path}?{urlencode([*kept, ('after_id', table.last_id)])}"


def envelope(admission: Admission, page: Page, columns: tuple[str, ...], site_url: str) -> bytes:
    """Return the JSON answer."""
    entry, content = admission.entry, admission.content
    licence = code_list("licences").find(content.licence)
    updated = entry.data_modified_at
    return dumps(
        {
            "data": json_rows(page.rows),
            "total": page.total,
            "next": site_url + page.next if page.next else None,
            "fields": [field_of(admission, name) for name in columns],
            "dataset": {
                "code": entry.code,
                "title": content.title,
                "url": f"{site_url}/dataset/{entry.slug}",
            },
            "updated": updated.isoformat(timespec="seconds") if updated else None,
            "licence": {
                "code": content.licence,
                "name": licence.name if licence else content.licence,
            },
        }
    )


def field_of(admission: Admission, name: str) -> dict[str, Any]:
    item = admission.items[name]
    described = {
        "name": name,
        "title": item.name,
        "type": json_type(admission.table.column(name).type, item.masking),
    }
    if item.unit:
        described["unit"] = item.unit
    if is_masked(item.masking):
        described["masking"] = item.masking
    return described


def json_type(kind: ColumnType, masking: str) -> str:
    return "text" if is_masked(masking) else str(kind)


def csv_lines(page: Page, columns: tuple[str, ...]) -> bytes:
    """Return CSV in UTF-8 headed by field names; texts that look like formulas get an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([csv_cell(row[name]) for name in columns] for row in page.rows)
    return out.getvalue().encode("utf-8", "replace")


def csv_cell(value: Any) -> Any:
    """Return a value as CSV holds it; a text that looks like a formula gets an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, date):  # datetime too
        return value.isoformat()
    if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
