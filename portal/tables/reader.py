"""Reading a table file: one header, the rows under it as text, and notes on odd rows.

Nothing is typed here. The rows go to a temporary Parquet file of text columns `c0, c1, …`, with
`_id` (1 to n, the order of the file) and `_row` (the number a spreadsheet program shows).
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from portal.errors import Invalid
from portal.tables import archive, json_records, parquet_rows, quick_text
from portal.tables.limits import DEFAULT_LIMITS, MIB, ReadLimits
from portal.tables.parsed_table import ParsedTable
from portal.tables.text_rows import TextRows, choose_encoding
from portal.tables.under_header import HeaderWish, read_under_header
from portal.tables.workbook_guard import OLE_SIGNATURE, ZIP_SIGNATURE
from portal.tables.workbook_rows import WorkbookRows

HEAD_BYTES = 4096
WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".et", ".ods")


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
    """Read CSV, TSV, XLSX, XLS, ODS, JSON, NDJSON, GeoJSON, Parquet, or one of them in a ZIP archive.

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
    if _is_workbook(head, filename):
        return _workbook(path, asked, limits)
    if size > limits.text_bytes:
        raise Invalid.one(
            "file",
            "too_large",
            "文件过大：{found} MB，最多 {allowed} MB。请拆分后上传。",
            found=size // MIB,
            allowed=limits.text_bytes // MIB,
        )
    return _text(path, filename, asked, limits)


def _in_archive(path: Path, asked: Reading, limits: ReadLimits) -> ParsedTable:
    with tempfile.TemporaryDirectory(prefix="xiangyun-member-") as folder:
        member = archive.extract(path, asked.sheet, Path(folder), limits)
        inner = Reading(asked.encoding, asked.delimiter, "", asked.has_header, asked.header_row)
        table = read_as(member.path, member.name, inner, limits)
    table.sheet, table.sheets = member.name, member.names
    return table


def _workbook(path: Path, asked: Reading, limits: ReadLimits) -> ParsedTable:
    table = ParsedTable()
    book = WorkbookRows(path, asked.sheet or None, limits, table.notes)
    table.sheet, table.sheets = book.sheet, book.sheets
    wish = HeaderWish(asked.has_header, asked.header_row)
    return read_under_header(iter(book), table, wish, limits, merges=book.merges)


def _text(path: Path, filename: str, asked: Reading, limits: ReadLimits) -> ParsedTable:
    guess = choose_encoding(path, asked.encoding or None)
    if not asked.delimiter and json_records.looks_like_json(path, guess.name, filename):
        table = json_records.read_json(path, filename, guess.name, limits)
    else:
        table = ParsedTable(encoding=guess.name)
        rows = TextRows(path, filename, guess.name, limits, table.notes, asked.delimiter)
        table.delimiter = rows.delimiter
        wish = HeaderWish(asked.has_header, asked.header_row)
        quick = partial(quick_text.read_quickly, path=path, ends=rows.ends)
        read_under_header(iter(rows), table, wish, limits, quick=quick)
    table.encoding, table.encoding_confidence = guess.name, guess.confidence
    return table


def _is_workbook(head: bytes, filename: str) -> bool:
    """Tell by the first bytes. Raises Invalid where name and content contradict each other."""
    packed = head.startswith((ZIP_SIGNATURE, OLE_SIGNATURE))
    named = filename.lower().endswith(WORKBOOK_SUFFIXES)
    if packed and not named:
        raise Invalid.one(
            "file",
            "binary_content",
            "文件“{filename}”的内容不是文本，而是 Excel 工作簿或其他打包文件。"
            "若是工作簿，请把扩展名改为 .xlsx 或 .xls 后重新上传；其他格式请另存为 .xlsx 或 CSV。",
            filename=filename[:80],
        )
    if named and not packed:
        is_page = re.match(rb"\s*(\xef\xbb\xbf)?\s*<", head) is not None
        raise Invalid.one(
            "file",
            "workbook_unreadable",
            "文件“{filename}”其实是{kind}，不是 Excel 工作簿。请用 Excel 打开并另存为 .xlsx 后重新上传。",
            filename=filename[:80],
            kind="网页或 XML" if is_page else "文本或其他格式",
        )
    return packed
