"""Looks into a workbook before it is opened: bombs, passwords, and files under a false name.

The reader unpacks a whole sheet and lays it out as a full rectangle, so a few hundred bytes could
ask for all memory. Here the parts are unpacked once in pieces, counted, and thrown away.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from portal.errors import Invalid
from portal.tables import ods_guard
from portal.tables.limits import MIB, ReadLimits

OLE_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP_SIGNATURE = b"PK\x03\x04"
PIECE_BYTES = MIB
_CELL = re.compile(
    rb"<(?:[\w.-]+:)?c\s[^>]*?\br\s*=\s*[\"']([A-Za-z]{1,3})([0-9]{1,7})[\"'][^>]*?(/?)>"
)
_REFERENCE = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]{1,3}[0-9]{1,7})[\"']")
_PLAIN_REFERENCE = re.compile(rb'<c r="([A-Z]{1,3}[0-9]{1,7})"')
_UNVALUED = re.compile(
    rb"<c(?![^>]*\bt=\"str\")\s[^>]*>\s*<f[^>]*>[^<]*</f>(?:<v></v>|<v\s*/>)?\s*</c>"
)
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PLAIN_AREA = 10_000_000  # an extent that needs no closer look
_ENTITY = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def is_packed(path: Path) -> bool:
    """Whether the first bytes are those of a workbook (or of another archive)."""
    with path.open("rb") as file:
        return file.read(8).startswith((ZIP_SIGNATURE, OLE_SIGNATURE))


@dataclass(frozen=True)
class OddCells:
    """Cells of an .xlsx that are read as blanks: formulas without a kept value, and errors (#N/A)."""

    unvalued: int = 0
    errors: int = 0


def is_excel_95(path: Path) -> bool:
    """Whether this is a workbook of Excel 5 or 95 (BIFF5)."""
    with path.open("rb") as file:
        if not file.read(8).startswith(OLE_SIGNATURE):
            return False
    data = path.read_bytes()
    return "Book\0".encode("utf-16-le") in data and "Workbook".encode("utf-16-le") not in data


def check_workbook(path: Path, limits: ReadLimits) -> OddCells:
    """Refuse a workbook that is locked, no workbook, or too large to hold. Raises Invalid."""
    size = path.stat().st_size
    if size > limits.workbook_bytes:
        raise _too_large("文件", size // MIB, limits.workbook_bytes // MIB, "MB")
    with path.open("rb") as file:
        head = file.read(8)
    if head == OLE_SIGNATURE:
        if "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
            raise encrypted()
        return OddCells()
    try:
        with zipfile.ZipFile(path) as archive:
            return _check_archive(archive, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError):
        raise unreadable() from None
    except RuntimeError:  # zipfile: an entry is locked by a password
        raise encrypted() from None


def encrypted() -> Invalid:
    return Invalid.one(
        "file", "encrypted", "工作簿设有打开密码，无法读取。请在 Excel 中取消密码后重新上传。"
    )


def unreadable() -> Invalid:
    return Invalid.one(
        "file",
        "workbook_unreadable",
        "这不是有效的 Excel 工作簿，或文件已损坏。请用 Excel 打开并另存为 .xlsx 后重新上传。",
    )


def _check_archive(archive: zipfile.ZipFile, limits: ReadLimits) -> OddCells:
    entries = archive.infolist()
    if len(entries) > limits.workbook_entries:
        raise _too_large("工作簿内的部件", len(entries), limits.workbook_entries, "个")
    is_open_document = ods_guard.is_ods(archive)
    if not is_open_document and not any(entry.filename.startswith("xl/") for entry in entries):
        if any(entry.filename.startswith(("word/", "ppt/")) for entry in entries):
            raise Invalid.one(
                "file",
                "workbook_unreadable",
                "文件其实是 Word 或 PPT 文档，不是 Excel 工作簿。请把其中的表格另存为 .xlsx 后重新上传。",
            )
        raise unreadable()
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(sum(entry.compress_size for entry in entries), 1)
    if unpacked > limits.workbook_unpacked_bytes:
        raise _too_large(
            "解压后的内容", unpacked // MIB, limits.workbook_unpacked_bytes // MIB, "MB"
        )
    if unpacked > 10 * MIB and unpacked > packed * limits.workbook_ratio:
        raise Invalid.one(
            "file",
            "workbook_bomb",
            "工作簿的压缩比异常（{ratio} 倍），为安全起见不予读取。请另存为 CSV 后上传。",
            ratio=unpacked // packed,
        )
    if is_open_document:
        _check_open_document(archive, limits)
        return OddCells()
    parts = [e for e in entries if e.filename.lower().endswith((".xml", ".rels", ".vml"))]
    found = [_check_part(archive, entry, limits) for entry in parts]
    return OddCells(sum(one.unvalued for one in found), sum(one.errors for one in found))


def _check_open_document(archive: zipfile.ZipFile, limits: ReadLimits) -> None:
    if ods_guard.CONTENT not in archive.namelist():
        raise unreadable()
    if b"encryption-data" in archive.read("META-INF/manifest.xml")[: 4 * MIB]:
        raise encrypted()
    try:
        ods_guard.check_content(archive, limits)
    except ods_guard.Entities:
        raise _entities() from None
    except ods_guard.Oversized as found:
        if found.what == "cells":
            raise _too_large("工作表的单元格", found.cells, limits.workbook_cells, "个") from None
        raise _area(found.rows, found.columns) from None


def _check_part(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: ReadLimits) -> OddCells:
    is_sheet = entry.filename.lower().startswith("xl/worksheets/")
    cells, rows, columns, rest = 0, 0, 0, b""
    unvalued = errors = 0
    with archive.open(entry) as part:
        while piece := part.read(PIECE_BYTES):
            text = rest + piece
            if (b"<!" in text and _ENTITY.search(text)) or b"\0" in piece:
                raise _entities()
            cut = text.rfind(b"<")
            whole, rest = (text[:cut], text[cut:][-4096:]) if cut > 0 else (text, b"")
            if is_sheet:
                plain, prefixed = whole.count(b"<c"), whole.count(b":c")
                cells += plain + prefixed  # at least as many as there are
                rows, columns = _extent(whole, rows, columns, plain, prefixed)
                _check_extent(cells, rows, columns, limits)
                errors += whole.count(b' t="e"')
                if b"</f>" in whole:
                    unvalued += len(_UNVALUED.findall(whole))
    if is_sheet:
        rows, columns = _extent(rest, rows, columns, rest.count(b"<c"), rest.count(b":c"))
        _check_extent(cells, rows, columns, limits)
    return OddCells(unvalued, errors)


def _extent(xml: bytes, rows: int, columns: int, plain: int, prefixed: int) -> tuple[int, int]:
    """Return the last row and column of a filled cell; formatted empty cells do not count."""
    references = _PLAIN_REFERENCE.findall(xml)
    if prefixed or (len(references) < plain and len(references) < plain - xml.count(b"<col")):
        references = _REFERENCE.findall(xml)  # not as Excel writes it
    digits = b" ".join(references).translate(None, _LETTERS).split()
    letters = b" ".join(references).translate(None, b"0123456789").split()
    last_row = max(map(int, set(digits)), default=0)
    last_column = max(map(_column_number, set(letters)), default=0)
    if last_row * last_column <= PLAIN_AREA or (last_row <= rows and last_column <= columns):
        return max(rows, last_row), max(columns, last_column)
    for cell_letters, cell_digits, empty in _CELL.findall(xml):  # far out: perhaps empty ones
        if not empty:
            rows = max(rows, int(cell_digits))
            columns = max(columns, _column_number(cell_letters))
    return rows, columns


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _check_extent(cells: int, rows: int, columns: int, limits: ReadLimits) -> None:
    if cells > limits.workbook_cells:
        raise _too_large("工作表的单元格", cells, limits.workbook_cells, "个")
    if rows * columns > limits.workbook_area:
        raise _area(rows, columns)


def _entities() -> Invalid:
    return Invalid.one(
        "file",
        "workbook_entities",
        "工作簿的 XML 含有实体声明，为安全起见不予读取。请用 Excel 另存为 .xlsx 后重新上传。",
    )


def _area(rows: int, columns: int) -> Invalid:
    return Invalid.one(
        "file",
        "workbook_area",
        "工作表的内容散布到第 {row} 行、第 {column} 列，范围过大。"
        "请删除远处的多余单元格，或另存为 CSV 后上传。",
        row=rows,
        column=columns,
    )


def _too_large(what: str, found: int, allowed: int, unit: str) -> Invalid:
    return Invalid.one(
        "file",
        "too_large",
        "{what}过大：{found} {unit}，最多 {allowed} {unit}。请拆分文件，或另存为 CSV 后上传。",
        what=what,
        found=found,
        allowed=allowed,
        unit=unit,
    )
