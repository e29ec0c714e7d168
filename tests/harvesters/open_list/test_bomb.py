"""XLSX files made to unfold beyond all bounds."""

from __future__ import annotations

import io
import struct
import time
import zipfile

import pytest

from harvesters.open_list import UnreadableList, read_open_list
from harvesters.record import Codes
from tests.harvesters.open_list.test_reader import LIST, book_bytes


def packed(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def with_sheet(xml: bytes) -> bytes:
    """A sound workbook with another sheet XML in it."""
    sound = zipfile.ZipFile(io.BytesIO(book_bytes(清单=LIST)))  # type: ignore[arg-type]
    entries = {name: sound.read(name) for name in sound.namelist()}
    entries["xl/worksheets/sheet1.xml"] = xml
    return packed(entries)


HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = b"</sheetData></worksheet>"


def test_a_bomb_is_not_unfolded(codes: Codes) -> None:
    bomb = packed({"xl/workbook.xml": b"<x/>", "xl/sharedStrings.xml": bytes(300_000_000)})
    started = time.monotonic()
    with pytest.raises(UnreadableList, match="解压后过大"):
        read_open_list(bomb, "x.xlsx", codes)
    assert time.monotonic() - started < 5


def test_a_bomb_that_lies_about_its_size_is_not_unfolded(codes: Codes) -> None:
    size = 300_000_000
    bomb = packed({"xl/workbook.xml": b"<x/>", "xl/sharedStrings.xml": bytes(size)})
    with pytest.raises(UnreadableList, match="解压后过大"):
        read_open_list(
            bomb.replace(struct.pack("<I", size), struct.pack("<I", 10)), "x.xlsx", codes
        )


@pytest.mark.parametrize("cell", [b"XFD1048576", b"A1048576", b"XFD1"])
def test_a_far_cell_makes_no_huge_rectangle(codes: Codes, cell: bytes) -> None:
    row = cell.lstrip(b"AXFD")
    xml = HEAD + b'<row r="' + row + b'"><c r="' + cell + b'" t="str"><v>x</v></c></row>' + TAIL
    with pytest.raises(UnreadableList, match="太大"):
        read_open_list(with_sheet(xml), "x.xlsx", codes)


def test_too_many_parts(codes: Codes) -> None:
    parts = {f"x{number}": b"" for number in range(1100)}
    with pytest.raises(UnreadableList, match="部件过多"):
        read_open_list(packed({"xl/workbook.xml": b"", **parts}), "x.xlsx", codes)


def test_another_archive_is_no_spreadsheet(codes: Codes) -> None:
    with pytest.raises(UnreadableList, match="不支持"):
        read_open_list(packed({"../evil.csv": b"x"}), "x.xlsx", codes)
