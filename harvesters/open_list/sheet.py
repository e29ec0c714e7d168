"""Spreadsheet files (XLSX, XLS, CSV) as rows of text, within bounds."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

from harvesters.open_list.bomb import check_archive
from harvesters.open_list.faults import UnreadableList

MAX_BYTES = 20_000_000
MAX_ROWS = 50_000
MAX_COLUMNS = 300
MAX_CELLS = 3_000_000
LOSSY = "（数字已失真）"
"""Ends a number of more digits than a spreadsheet keeps: an identifier that was not text."""


@dataclass(frozen=True)
class Sheet:
    """`rows[0]` is the first line of the sheet; every cell is stripped text."""

    name: str
    rows: Sequence[Sequence[str]]


def read_sheets(data: bytes, filename: str) -> list[Sheet]:
    """Return the visible sheets; a CSV gives one. What the file is, its bytes say, not its name.

    Raises:
        UnreadableList: empty, a web page, another kind of file, broken, or too large.
    """
    if not data.strip():
        raise UnreadableList("文件是空的。")
    if len(data) > MAX_BYTES:
        raise UnreadableList(f"文件超过 {MAX_BYTES // 1_000_000} MB。")
    if data[:4] == b"PK\x03\x04":
        check_archive(data, max_rows=MAX_ROWS, max_columns=MAX_COLUMNS)
        return _workbook(data)
    if data[:4] == b"\xd0\xcf\x11\xe0":
        return _workbook(data)
    return [Sheet(filename, _csv_rows(decode(data)))]


def _workbook(data: bytes) -> list[Sheet]:
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            names = [s.name for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
            return [_sheet(book, name) for name in names]
    except (CalamineError, OSError, ValueError) as error:
        raise UnreadableList("电子表格已损坏或有密码，无法读取。") from error


def _sheet(book: CalamineWorkbook, name: str) -> Sheet:
    sheet = book.get_sheet_by_name(name)
    height, width = sheet.total_height, sheet.total_width
    if height > MAX_ROWS or width > MAX_COLUMNS or height * width > MAX_CELLS:
        raise UnreadableList(f"工作表“{name}”太大：最多 {MAX_ROWS} 行、{MAX_COLUMNS} 列。")
    rows = [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        if left == right and bottom < len(rows):
            for row in rows[top + 1 : bottom + 1]:  # one provider merged over its data sets
                row[left] = rows[top][left]
    return Sheet(name, rows)


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer():
        return f"{int(cell)}" + (LOSSY if abs(cell) >= 1e15 else "")
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ", "seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell).strip()


def decode(data: bytes) -> str:
    """Return the text of UTF-8, UTF-16 or GB18030 bytes, by mark, then by strictness.

    Raises:
        UnreadableList: none of them, or a web page.
    """
    text = _decoded(data)
    if "\0" in text:
        raise UnreadableList("这不是文本或电子表格文件。请上传 XLSX、XLS 或 CSV。")
    if text.lstrip()[:200].lower().startswith(("<!doctype", "<html", "<?xml")):
        raise UnreadableList("取得的是网页，不是电子表格。请检查地址。")
    return text


def _decoded(data: bytes) -> str:
    encodings = ["utf-8-sig", "gb18030"]
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    elif b"\0" in data[:1000]:
        even, odd = data[:1000:2].count(0), data[1:1000:2].count(0)
        encodings = ["utf-16-be" if even > odd else "utf-16-le"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableList("无法识别文件的编码。请另存为 UTF-8 或 GB18030 编码的 CSV，或 XLSX。")


def _csv_rows(text: str) -> list[list[str]]:
    sample = text[:20_000]
    delimiter = max(",\t;", key=lambda mark: (sample.count(mark), mark == ","))
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False):
            rows.append([cell.strip() for cell in row])
            if len(rows) > MAX_ROWS or len(row) > MAX_COLUMNS:
                raise UnreadableList(f"文件太大：最多 {MAX_ROWS} 行、{MAX_COLUMNS} 列。")
    except csv.Error as error:
        raise UnreadableList(f"第 {len(rows) + 1} 行附近不是有效的 CSV。") from error
    return rows
