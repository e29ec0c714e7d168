"""Reading a table file: one header, the rows under it as text, and notes on odd rows.

Nothing is typed here. The rows go to a temporary Parquet file of text columns `c0, c1, …`, with
`_id` (1 to n, the order of the file) and `_row` (the number a spreadsheet program shows).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from portal.errors import Invalid
from portal.tables import archive, json_records, parquet_rows, quick_text
from portal.tables.limits import DEFAULT_LIMITS, MIB, ReadLimits
from portal.tables.markup_parser import looks_like_markup
from portal.tables.markup_rows import MarkupRows
from portal.tables.parsed_table import ParsedTable
from portal.tables.row_notes import RowNotes
from portal.tables.text_rows import TextRows, choose_encoding
from portal.tables.under_header import HeaderWish, read_under_header
from portal.tables.workbook_guard import OLE_SIGNATURE, ZIP_SIGNATURE
from portal.tables.workbook_rows import WorkbookRows

HEAD_BYTES = 4096
WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".et", ".ods")
OTHER_SUFFIXES = (".csv", ".tsv", ".tab", ".txt", *json_records.SUFFIXES)
PACKED = (ZIP_SIGNATURE, OLE_SIGNATURE)

KNOWN_KINDS = {
    b"%PDF": "PDF 文档",
    b"{\\rtf": "RTF 文档",
    b"\x1f\x8b": "gzip 压缩文件",
    b"Rar!": "RAR 压缩包",
    b"7z\xbc\xaf": "7z 压缩包",
    b"\x89PNG": "图片",
    b"\xff\xd8\xff": "图片",
    b"SQLite format 3": "SQLite 数据库",
    b"MIME-Version:": "单个文件网页（MHT）",
}


@dataclass(frozen=True)
class Reading:
    """What a person says of a file where the detection is wrong; nothing said: detect."""

    encoding: str = ""  # of text files
    delimiter: str = ""  # of delimited text
    sheet: str = ""  # of a workbook, or the member of an archive
    has_header: bool = True  # False names the columns 列1, 列2, … and takes every row as data
    header_row: int | None = None  # the (last) row with the names, as a spreadsheet program counts


def read_table(
    path: Path | str,
    *,
    filename: str,
    encoding: str | None = None,
    sheet: str | None = None,
    has_header: bool = True,
    delimiter: str = "",
    header_row: int | None = None,
    limits: ReadLimits = DEFAULT_LIMITS,
) -> ParsedTable:
    """Read CSV, TSV, XLSX, XLS, ODS, JSON, NDJSON, GeoJSON, Parquet, a table in a web page (or in
    Excel's XML of 2003), or one of them in a ZIP archive.

    What a file holds decides, not what its name claims; the name's ending only settles ties and
    words messages. The other arguments are those of `Reading`.

    Raises:
        Invalid: the file is empty, too large, no table, or broken; the message says where.
    """
    asked = Reading(encoding or "", delimiter, sheet or "", has_header, header_row)
    return read_as(Path(path), filename, asked, limits)


def read_as(
    path: Path, filename: str, asked: Reading, limits: ReadLimits = DEFAULT_LIMITS
) -> ParsedTable:
    """Read a table file as a person says, or by what it holds. Raises Invalid as `read_table`."""
    size = path.stat().st_size
    if size == 0:
        raise Invalid.one("file", "empty_file", "文件是空的（0 字节）。请检查导出结果后重新上传。")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(ZIP_SIGNATURE) and archive.is_plain_archive(path, filename):
        return _in_archive(path, asked, limits)
    if head.startswith(parquet_rows.SIGNATURE):
        return parquet_rows.read_parquet(path, limits)
    _refuse_known(head, filename)
    if head.startswith(PACKED):
        return _workbook(path, filename, asked, limits)
    if size > limits.text_bytes:
        raise Invalid.one(
            "file",
            "too_large",
            "文件过大：{found} MB，最多 {allowed} MB。请拆分后上传。",
            found=size // MIB,
            allowed=limits.text_bytes // MIB,
        )
    return _text(path, filename, asked, limits)


def holds_text_table(path: Path, filename: str) -> bool:
    """Whether a text under the name of a workbook is a web page or separated by some delimiter."""
    try:
        encoding = choose_encoding(path, None).name
        if looks_like_markup(json_records.text_start(path, encoding)):
            return True
        return TextRows(path, filename, encoding, DEFAULT_LIMITS, RowNotes()).are_split
    except Invalid:
        return False


def _refuse_known(head: bytes, filename: str) -> None:
    """Refuse by name what is known to hold no table."""
    kind = next((kind for start, kind in KNOWN_KINDS.items() if head.startswith(start)), None)
    if kind is not None:
        raise Invalid.one(
            "file",
            "binary_content",
            "文件“{filename}”的内容是{kind}，不是表格。请上传 CSV、XLSX 或 JSON 文件。",
            filename=filename[:80],
            kind=kind,
        )


def _in_archive(path: Path, asked: Reading, limits: ReadLimits) -> ParsedTable:
    with tempfile.TemporaryDirectory(prefix="xiangyun-member-") as folder:
        member = archive.extract(path, asked.sheet, Path(folder), limits)
        inner = Reading(asked.encoding, asked.delimiter, "", asked.has_header, asked.header_row)
        table = read_as(member.path, member.name, inner, limits)
    table.sheet, table.sheets = member.name, member.names
    return table


def _workbook(path: Path, filename: str, asked: Reading, limits: ReadLimits) -> ParsedTable:
    table = ParsedTable()
    book = WorkbookRows(path, asked.sheet or None, limits, table.notes)
    table.sheet, table.sheets = book.sheet, book.sheets
    if filename.lower().endswith(OTHER_SUFFIXES):
        table.notes.add(1, "misnamed", ["Excel 工作簿"])
    wish = HeaderWish(asked.has_header, asked.header_row)
    return read_under_header(
        iter(book), table, wish, limits, merges=book.merges, quick=book.quick()
    )


def _text(path: Path, filename: str, asked: Reading, limits: ReadLimits) -> ParsedTable:
    guess = choose_encoding(path, asked.encoding or None)
    start = json_records.text_start(path, guess.name)
    if looks_like_markup(start) and not asked.delimiter:
        table = _markup(path, filename, guess.name, asked, limits)
    elif not asked.delimiter and json_records.looks_like_json(start, filename):
        table = json_records.read_json(path, filename, guess.name, limits)
    else:
        json_records.check_named(start, filename)
        table = _delimited(path, filename, guess.name, asked, limits)
    table.encoding, table.encoding_confidence = guess.name, guess.confidence
    return table


def _delimited(
    path: Path, filename: str, encoding: str, asked: Reading, limits: ReadLimits
) -> ParsedTable:
    table = ParsedTable(encoding=encoding)
    rows = TextRows(path, filename, encoding, limits, table.notes, asked.delimiter)
    if filename.lower().endswith((*WORKBOOK_SUFFIXES, *json_records.SUFFIXES)):
        if not rows.are_split:
            raise _no_table(filename)
        table.notes.add(1, "misnamed", ["分隔符文本（CSV）"])
    table.delimiter = rows.delimiter
    wish = HeaderWish(asked.has_header, asked.header_row)
    quick = partial(quick_text.read_quickly, path=path, ends=rows.ends)
    return read_under_header(iter(rows), table, wish, limits, quick=quick)


def _markup(
    path: Path, filename: str, encoding: str, asked: Reading, limits: ReadLimits
) -> ParsedTable:
    table = ParsedTable(encoding=encoding)
    rows = MarkupRows(path, encoding, limits, table.notes)
    if not filename.lower().endswith((".html", ".htm", ".xml")):
        table.notes.add(1, "misnamed", ["网页或 XML 表格"])
    wish = HeaderWish(asked.has_header, asked.header_row)
    return read_under_header(iter(rows), table, wish, limits, merges=rows.merges)


def _no_table(filename: str) -> Invalid:
    if filename.lower().endswith(json_records.SUFFIXES):
        code, text = (
            "bad_json",
            "文件“{filename}”不是 JSON：内容须以 {{ 或 [ 开头。请重新导出后上传。",
        )
    else:
        code, text = (
            "workbook_unreadable",
            "文件“{filename}”的内容与扩展名不符：是文本，又不是用逗号等分隔的表格。"
            "请用 Excel 打开并另存为 .xlsx 后重新上传。",
        )
    return Invalid.one("file", code, text, filename=filename[:80])
