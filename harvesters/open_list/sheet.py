"""Spreadsheet files (XLSX, XLS, CSV) as rows of text, within bounds of size and memory."""

from __future__ import annotations

import codecs
import csv
import io
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson

from harvesters.open_list.bomb import check_archive
from harvesters.open_list.faults import UnreadableList
from harvesters.open_list.workbook_child import BROKEN

MAX_BYTES = 20_000_000
MAX_ROWS = 50_000
MAX_COLUMNS = 300
MAX_CELLS = 600_000
MAX_TEXT_BYTES = 40_000_000
_PROGRAM = Path(__file__).with_name("workbook_child.py")
_PIECE = 1 << 16
_UNFOLDS = "电子表格展开后占用的内存过多，拒绝读取。请删去多余的行列，或拆成几个文件。"


@dataclass(frozen=True)
class Sheet:
    """`rows[0]` is the first line of the sheet; every cell is stripped text."""

    name: str
    rows: Sequence[Sequence[str]]


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
    return [Sheet(filename, _csv_rows(data))]


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
    return [Sheet(sheet.name, sheet.rows) for sheet in sheets]


@dataclass
class _Received:
    name: str
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
            sheets.append(_Received(value["sheet"]))
    return sheets


def _csv_rows(data: bytes) -> list[list[str]]:
    encoding = encoding_of(data)
    start = data[:_PIECE].decode(encoding, "replace")
    if start.lstrip("\ufeff \t\r\n")[:200].lower().startswith(("<!doctype", "<html", "<?xml")):
        raise UnreadableList("取得的是网页，不是电子表格。请检查地址。")
    delimiter = max(",\t;", key=lambda mark: (start.count(mark), mark == ","))
    rows: list[list[str]] = []
    cells = 0
    text = io.TextIOWrapper(io.BytesIO(data), encoding, newline="")
    try:
        for row in csv.reader(text, delimiter=delimiter, strict=False):
            rows.append([cell.strip() for cell in row])
            cells += len(row)
            if len(rows) > MAX_ROWS or len(row) > MAX_COLUMNS or cells > MAX_CELLS:
                raise UnreadableList(
                    f"文件太大：最多 {MAX_ROWS} 行、{MAX_COLUMNS} 列、{MAX_CELLS} 格。"
                )
    except csv.Error as error:
        raise UnreadableList(f"第 {len(rows) + 1} 行附近不是有效的 CSV。") from error
    return rows


def encoding_of(data: bytes) -> str:
    """Return UTF-8, UTF-16 or GB18030, by mark, then by strictness.

    Raises:
        UnreadableList: none of them.
    """
    encodings = ["utf-8-sig", "gb18030"]
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    elif b"\0" in data[:1000]:
        even, odd = data[:1000:2].count(0), data[1:1000:2].count(0)
        encodings = ["utf-16-be" if even > odd else "utf-16-le"]
    for encoding in encodings:
        try:
            is_text = not any("\0" in piece for piece in _decoded(data, encoding))
        except UnicodeDecodeError:
            continue
        if not is_text:
            raise UnreadableList("这不是文本或电子表格文件。请上传 XLSX、XLS 或 CSV。")
        return encoding
    raise UnreadableList("无法识别文件的编码。请另存为 UTF-8 或 GB18030 编码的 CSV，或 XLSX。")


def _decoded(data: bytes, encoding: str) -> Iterator[str]:
    """Yield the text piece by piece: it may be four times as large as its bytes."""
    decoder = codecs.getincrementaldecoder(encoding)()
    for start in range(0, len(data), _PIECE):
        yield decoder.decode(data[start : start + _PIECE])
    yield decoder.decode(b"", final=True)
