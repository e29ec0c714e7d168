"""Spreadsheet files (XLSX, XLS, CSV) as rows of text, within bounds of size and memory."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson

from harvesters.open_list.bomb import check_archive
from harvesters.open_list.csv_text import csv_rows
from harvesters.open_list.faults import UnreadableList
from harvesters.open_list.html_table import html_tables
from harvesters.open_list.workbook_child import BROKEN

MAX_BYTES = 20_000_000
MAX_ROWS = 50_000
MAX_COLUMNS = 300
MAX_CELLS = 600_000
MAX_TEXT_BYTES = 40_000_000
_PROGRAM = Path(__file__).with_name("workbook_child.py")
_PIECE = 1 << 16
_SAVE_AS = "请用表格软件打开，另存为 XLSX 后再试。"
_OTHER_KINDS = (
    (b"%PDF", "这是 PDF 文件，不是电子表格。请来源提供 XLSX、XLS 或 CSV。"),
    (b"<?xml", f"这是 XML 文件（可能是 2003 版的 XML 表格），不能读取。{_SAVE_AS}"),
    ((b"{", b"[{"), "这是 JSON，不是电子表格。请核对地址，或改用 data.json 的采集方式。"),
    ((b"Rar!", b"7z\xbc\xaf"), "这是压缩包，不是电子表格。请来源直接提供 XLSX、XLS 或 CSV。"),
)
_UNFOLDS = "电子表格展开后占用的内存过多，拒绝读取。请删去多余的行列，或拆成几个文件。"


@dataclass(frozen=True)
class Sheet:
    """`rows[0]` is the first line of the sheet; every cell is stripped text."""

    name: str
    rows: Sequence[Sequence[str]]
    hidden: bool = False


def read_sheets(data: bytes, filename: str) -> list[Sheet]:
    """Return the sheets; a CSV gives one. What the file is, its bytes say, not its name.

    Raises:
        UnreadableList: empty, a web page, another kind of file, broken, or too large.
    """
    if not data[:_PIECE].strip() and not data.strip():
        raise UnreadableList("文件是空的。")
    if len(data) > MAX_BYTES:
        raise UnreadableList(f"文件超过 {MAX_BYTES // 1_000_000} MB。")
    if data[:4] == b"PK\x03\x04":
        check_archive(data, max_rows=MAX_ROWS, max_columns=MAX_COLUMNS)
        return _workbook(data)
    if data[:4] == b"\xd0\xcf\x11\xe0":
        return _workbook(data)
    _check_start(data)
    bounds = {"max_rows": MAX_ROWS, "max_columns": MAX_COLUMNS, "max_cells": MAX_CELLS}
    if _is_web_page(data):
        tables = html_tables(data, **bounds)
        if not tables:
            raise UnreadableList("取得的是网页，不是电子表格。请检查地址。")
        return [Sheet(f"表格{number}", rows) for number, rows in enumerate(tables, 1)]
    return [Sheet(filename, csv_rows(data, **bounds))]


def _is_web_page(data: bytes) -> bool:
    start = data[:_PIECE].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype", b"<html", b"<table", b"<meta", b"<head", b"<body"))


def _check_start(data: bytes) -> None:
    """Raise UnreadableList for other kinds of file, by what they begin with."""
    start = data[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    for beginning, message in _OTHER_KINDS:
        if start.startswith(beginning):
            raise UnreadableList(message)


def _workbook(data: bytes) -> list[Sheet]:
    """Read in a process of its own, so that no file takes this one down."""
    limits = [str(number) for number in (MAX_ROWS, MAX_COLUMNS, MAX_CELLS)]
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        with subprocess.Popen(
            [sys.executable, "-I", str(_PROGRAM), *limits],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                assert process.stdout is not None  # a pipe was asked for
                sheets = _received(process.stdout)
            except BaseException:
                process.kill()
                raise
    if process.returncode == BROKEN:
        raise UnreadableList("电子表格已损坏或有密码，无法读取。")
    if process.returncode:
        raise UnreadableList(_UNFOLDS)
    return [Sheet(sheet.name, sheet.rows, sheet.hidden) for sheet in sheets]


@dataclass
class _Received:
    name: str
    hidden: bool
    rows: list[list[str]] = field(default_factory=list)


def _received(lines: IO[bytes]) -> list[_Received]:
    sheets: list[_Received] = []
    left = MAX_TEXT_BYTES
    while line := lines.readline(left + 2):
        left -= len(line)
        if left < 0:
            raise UnreadableList(_UNFOLDS)
        if not line.endswith(b"\n"):
            break  # it died in the middle of a line; its exit code says so
        value: Any = orjson.loads(line)
        if isinstance(value, list):
            sheets[-1].rows.append([sys.intern(cell) for cell in value])
        elif "too_large" in value:
            name = value["too_large"]
            raise UnreadableList(
                f"工作表“{name}”太大：最多 {MAX_ROWS} 行、{MAX_COLUMNS} 列、{MAX_CELLS} 格。"
            )
        else:
            sheets.append(_Received(value["sheet"], value["hidden"]))
    return sheets
