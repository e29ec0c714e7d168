"""Looks into an OpenDocument spreadsheet before it is opened.

One attribute (`number-columns-repeated`, `number-rows-repeated`) may stand for a million cells, and
the reader lays them all out. So the sheets are walked once as a stream, and what would be laid out is
counted: repeated cells and rows that hold something, never the empty ones that fill a sheet up.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import NoReturn
from xml.parsers import expat

from portal.errors import Invalid
from portal.tables.limits import MIB, ReadLimits

CONTENT = "content.xml"
MIMETYPE = b"application/vnd.oasis.opendocument.spreadsheet"
PIECE_BYTES = MIB
_CELLS = ("table:table-cell", "table:covered-table-cell")
_HOLDS = ("office:value", "office:date-value", "office:time-value", "office:string-value")


class Oversized(Exception):
    """What would be laid out is more than allowed: `what` is `cells` or `area`."""

    def __init__(self, what: str, rows: int, columns: int, cells: int) -> None:
        super().__init__(what)
        self.what, self.rows, self.columns, self.cells = what, rows, columns, cells


class Entities(Exception):
    """The XML declares entities."""


def is_ods(archive: zipfile.ZipFile) -> bool:
    """Whether the archive says it is a spreadsheet of OpenDocument."""
    try:
        return archive.read("mimetype")[: len(MIMETYPE)] == MIMETYPE
    except KeyError:
        return False


def check_content(archive: zipfile.ZipFile, limits: ReadLimits) -> None:
    """Walk the sheets.

    Raises:
        Oversized, Entities. Invalid: the XML is broken. KeyError: there is no content.
    """
    walk = _Walk(limits)
    parser = expat.ParserCreate()
    parser.StartElementHandler = walk.start
    parser.EndElementHandler = walk.end
    parser.CharacterDataHandler = walk.text
    parser.StartDoctypeDeclHandler = _refuse
    with archive.open(CONTENT) as part:
        try:
            while piece := part.read(PIECE_BYTES):
                parser.Parse(piece)
            parser.Parse(b"", True)
        except expat.ExpatError:
            raise Invalid.one(
                "file",
                "workbook_unreadable",
                "这个 ODS 表格已损坏。请用 WPS 或 LibreOffice 打开并另存为 .xlsx 或 .ods 后重新上传。",
            ) from None


def _refuse(*_declared: object) -> NoReturn:
    raise Entities


@dataclass
class _Walk:
    """Counts of the sheet at hand; `cells` over all sheets."""

    limits: ReadLimits
    cells: int = 0
    rows: int = 0
    columns: int = 0
    row_repeats: int = 1
    row_at: int = 0  # cells of the row so far, empty ones too
    row_filled: int = 0  # up to its last filled cell
    repeats: int = 1
    is_filled: bool = False
    in_cell: bool = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in _CELLS:
            self.in_cell = True
            self.repeats = _number(attributes.get("table:number-columns-repeated"))
            self.is_filled = any(name in attributes for name in _HOLDS)
        elif tag == "table:table-row":
            self.row_repeats = _number(attributes.get("table:number-rows-repeated"))
            self.row_at = self.row_filled = 0
        elif tag == "table:table":
            self.rows = self.columns = 0

    def text(self, _text: str) -> None:
        self.is_filled = self.is_filled or self.in_cell

    def end(self, tag: str) -> None:
        if tag in _CELLS:
            self.in_cell = False
            self.row_at += self.repeats
            if self.is_filled:
                self.row_filled = self.row_at
        elif tag == "table:table-row":
            self._row()

    def _row(self) -> None:
        self.rows += self.row_repeats
        if not self.row_filled:
            return
        self.columns = max(self.columns, self.row_filled)
        self.cells += self.row_filled * self.row_repeats
        if self.cells > self.limits.workbook_cells:
            raise Oversized("cells", self.rows, self.columns, self.cells)
        if self.rows * self.columns > self.limits.workbook_area:
            raise Oversized("area", self.rows, self.columns, self.cells)


def _number(text: str | None) -> int:
    return max(1, int(text)) if text is not None and text.isascii() and text.isdigit() else 1
