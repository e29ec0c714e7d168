"""Checks on an XLSX before a library opens it: it must not unfold into more than we can hold.

Sizes are measured by unpacking in pieces, as those that the archive declares may lie, and the
furthest cell is looked for in the sheets, as the reader keeps a full rectangle in memory.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator

from harvesters.open_list.faults import UnreadableList

MAX_ENTRIES = 1000
MAX_UNPACKED_BYTES = 200_000_000
_CELL = re.compile(
    rb"""<(?:\w+:)?(?:row|c)\b[^<>]*?\sr\s*=\s*["'](?:([A-Z]{1,4}))?(\d{1,10})["']"""
)
_LONGEST_TAG = 100_000


def check_archive(data: bytes, *, max_rows: int, max_columns: int) -> None:
    """Raise UnreadableList for what is no XLSX or would unfold beyond the bounds."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UnreadableList("电子表格已损坏，无法读取。") from error
    if not any(entry.filename == "xl/workbook.xml" for entry in entries):
        raise UnreadableList("不支持这种文件。请上传 XLSX、XLS 或 CSV。")
    if len(entries) > MAX_ENTRIES:
        raise UnreadableList("电子表格内的部件过多，拒绝读取。")
    left = MAX_UNPACKED_BYTES
    for entry in entries:
        tail = b""
        for piece in _unpacked(data, entry):
            left -= len(piece)
            if left < 0:
                raise UnreadableList("电子表格解压后过大，拒绝读取。")
            _check_cells(tail + piece, max_rows, max_columns)
            tail = piece[piece.rfind(b"<") :][-_LONGEST_TAG:]  # a tag cut in two


def _unpacked(data: bytes, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    header = data[entry.header_offset : entry.header_offset + 30]
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise UnreadableList("电子表格已损坏，无法读取。")
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    start = entry.header_offset + 30 + name_length + extra_length
    packed = memoryview(data)[start : start + entry.compress_size]
    if entry.compress_type == zipfile.ZIP_STORED:
        yield bytes(packed)
        return
    if entry.compress_type != zipfile.ZIP_DEFLATED:
        raise UnreadableList("电子表格的压缩方式不受支持。")
    unpacker = zlib.decompressobj(-15)
    rest: bytes | memoryview = packed
    try:
        while rest and not unpacker.eof:
            yield unpacker.decompress(rest, 1_000_000)
            rest = unpacker.unconsumed_tail
    except zlib.error as error:
        raise UnreadableList("电子表格已损坏，无法读取。") from error


def _check_cells(xml: bytes, max_rows: int, max_columns: int) -> None:
    for letters, digits in _CELL.findall(xml):
        column = 0
        for letter in letters:
            column = column * 26 + letter - 64
        if int(digits) > max_rows or column > max_columns:
            raise UnreadableList(f"工作表太大：最多 {max_rows} 行、{max_columns} 列。")
