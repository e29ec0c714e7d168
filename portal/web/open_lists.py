"""Open lists as files: CSV, Excel and JSON with the same rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator

import orjson
from flask import Response

from portal.clock import local_date
from portal.codes import code_list
from portal.errors import NotFound
from portal.services.open_list_view import ListedEntry, walk_listed
from portal.web.attachment import attachment
from portal.web.context import platform, session

STATES = {"planned": "计划开放", "open": "已开放", "suspended": "暂停开放"}
CHANGES = {
    "planned": "列入",
    "open": "开放",
    "suspended": "暂停开放",
    "removed": "退出清单",
    "type_changed": "开放类型改变",
}
COLUMNS = (
    "信息资源代码", "数据名称", "提供机构", "主题", "开放类型", "更新周期", "状态", "开放日期", "计划开放日期",
    "数据更新日期", "网址",
)  # fmt: skip
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def open_list_file(organisation_ids: Collection[int], form: str, name: str, slug: str) -> Response:
    """Give the whole list as a file.

    Raises:
        NotFound: `form` is none of csv, xlsx, json.
    """
    writers = {
        "csv": (_csv, "text/csv; charset=utf-8"),
        "xlsx": (_xlsx, XLSX),
        "json": (_json, "application/json"),
    }
    if form not in writers:
        raise NotFound()
    write, media_type = writers[form]
    rows = _rows(walk_listed(session(), organisation_ids))
    return attachment(write(rows), media_type, f"{name}数据开放清单.{form}", f"open-list-{slug}")


def _rows(entries: Iterable[ListedEntry]) -> Iterator[list[str]]:
    site = platform().settings.site_url.rstrip("/")
    for entry in entries:
        yield [
            entry.code,
            entry.title,
            entry.organisation,
            code_list("themes").label(entry.theme),
            code_list("open_types").label(entry.open_type),
            code_list("update_frequency").label(entry.update_frequency),
            STATES[entry.state],
            local_date(entry.opened_at).isoformat() if entry.opened_at else "",
            entry.planned_on.isoformat() if entry.planned_on else "",
            local_date(entry.modified_at).isoformat() if entry.modified_at else "",
            f"{site}/dataset/{entry.slug}",
        ]


def _csv(rows: Iterable[list[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _json(rows: Iterable[list[str]]) -> bytes:
    found = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    return orjson.dumps(found, option=orjson.OPT_INDENT_2)


def _harmless(text: str) -> str:
    """Spreadsheets run cells that begin so; a quote in front makes them text."""
    return f"'{text}" if text[:1] in tuple("=+-@\t\r＝＋－＠") else text


def _xlsx(rows: Iterable[list[str]]) -> bytes:
    from openpyxl import Workbook  # slow to load, and seldom asked for
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("开放清单")
    for row in (list(COLUMNS), *rows):
        cells = [WriteOnlyCell(sheet, value=_harmless(text)) for text in row]
        for cell in cells:
            cell.data_type = "s"
        sheet.append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
