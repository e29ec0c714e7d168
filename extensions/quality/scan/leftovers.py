"""What stands in a file and not in its table: skipped rows, other sheets, other files of an archive.

The file as delivered goes out with it, so it is looked at too; what cannot be is said to be unread.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from extensions.quality.scan.findings import Finding, masked_example
from extensions.quality.scan.words import kinds_in_text
from portal.tables.archive import is_plain_archive
from portal.tables.info import TableInfo
from portal.tables.json_records import looks_like_json, text_start, texts_beside
from portal.tables.limits import DEFAULT_LIMITS
from portal.tables.markup_parser import looks_like_markup
from portal.tables.markup_rows import MarkupRows
from portal.tables.row_notes import KEPT, MAX_TEXT, RowNotes
from portal.tables.workbook_guard import OLE_SIGNATURE, ZIP_SIGNATURE

REST = "#rest"
REST_NAME = "未计入表格的内容"
UNREAD = "unread"
MOST_CELLS = 2_000_000


class TooMuch(Exception):
    """There is more than can be looked at."""


def look_at_rest(info: TableInfo, original: Path) -> list[Finding]:
    """Return the kinds found outside the table, or that something of it was not read."""
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    try:
        for text in _texts(info, original):
            for kind, part in kinds_in_text(text):
                counts[kind] += 1
                examples.setdefault(kind, masked_example(kind, part))
    except (TooMuch, CalamineError, OSError, ValueError):
        counts[UNREAD] += 1
    return [
        Finding(REST, REST_NAME, kind, count, 1.0, tuple(filter(None, [examples.get(kind)])))
        for kind, count in counts.items()
    ]


def _texts(info: TableInfo, original: Path) -> Iterator[str]:
    skipped = [note for note in info.notes if note.kind not in KEPT]
    yield from (note.text for note in skipped)
    if any(len(note.text) >= MAX_TEXT for note in skipped) or info.dropped_row_count > len(skipped):
        raise TooMuch
    with original.open("rb") as file:
        head = file.read(8)
    if head.startswith(ZIP_SIGNATURE) and is_plain_archive(original, ""):
        with zipfile.ZipFile(original) as archive:
            if sum(not one.is_dir() for one in archive.infolist()) > 1:
                raise TooMuch
    elif head.startswith((ZIP_SIGNATURE, OLE_SIGNATURE)):
        yield from _other_sheets(info, original)
    elif info.encoding and not info.delimiter:
        yield from _beside_records(info, original)


def _beside_records(info: TableInfo, original: Path) -> Iterator[str]:
    """Yield what a web page or a JSON document holds outside the table."""
    start = text_start(original, info.encoding)
    if looks_like_markup(start):
        yield from MarkupRows(original, info.encoding, DEFAULT_LIMITS, RowNotes()).others
    elif looks_like_json(start, ".json"):
        yield from texts_beside(original, info.encoding)


def _other_sheets(info: TableInfo, original: Path) -> Iterator[str]:
    """Yield the rows of every other sheet, hidden ones too."""
    book = CalamineWorkbook.from_path(str(original))
    left = MOST_CELLS
    for name in book.sheet_names:
        if name == info.sheet:
            continue
        for row in book.get_sheet_by_name(name).to_python():
            left -= len(row)
            if left < 0:
                raise TooMuch
            yield " ".join(_written(cell) for cell in row if cell not in ("", None))


def _written(cell: object) -> str:
    return f"{cell:.0f}" if isinstance(cell, float) and cell.is_integer() else str(cell)
