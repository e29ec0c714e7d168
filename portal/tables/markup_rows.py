"""Rows of a table in a web page, or in Excel's XML of 2003: programs save both as `.xls`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from portal.errors import Invalid
from portal.tables.encoding import decoded
from portal.tables.limits import MIB, ReadLimits
from portal.tables.markup_parser import MarkupParser, TooManyCells
from portal.tables.row_notes import RowNotes

HEADER_DEPTH = 10  # rows from the top in which merged cells are those of a header
_NO_TABLE = (
    "文件是网页或 XML，里面没有表格。请用 Excel 打开并另存为 .xlsx，或导出为 CSV 后重新上传。"
)


class MarkupRows:
    """The rows of the table that holds the most, and the texts that stand outside of it.

    Raises:
        Invalid: there is no table in it, or it is too large to be held.
    """

    def __init__(self, path: Path, encoding: str, limits: ReadLimits, notes: RowNotes) -> None:
        if path.stat().st_size > limits.json_bytes:
            raise _too_large(f"{limits.json_bytes // MIB} MB")
        self._notes = notes
        parser = MarkupParser(limits.workbook_cells)
        try:
            with path.open("rb") as file:
                for text in decoded(file, encoding):
                    parser.feed(text)
            parser.close()
        except TooManyCells:
            raise _too_large(f"{limits.workbook_cells} 个单元格") from None
        except UnicodeDecodeError:
            raise Invalid.one(
                "file",
                "wrong_encoding",
                "文件里有不属于 {encoding} 编码的字节。请换一种编码重新上传，或另存为 UTF-8。",
                encoding=encoding.upper(),
            ) from None
        found = [one for one in parser.tables if one.cells]
        if not found:
            raise Invalid.one("file", "no_table", _NO_TABLE)
        best = max(found, key=lambda one: one.cells)
        self._table = best
        self.merges = best.merges
        self.others = parser.outside + [
            " ".join(row) for one in found if one is not best for row in one.rows
        ]

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        width = max(map(len, self._table.rows))
        rows = zip(self._table.rows, self._table.spread, strict=True)
        for number, (cells, spread) in enumerate(rows, start=1):
            if number > HEADER_DEPTH and any(cells[column] for column in spread):
                self._notes.add(number, "merged", [cells[column] for column in spread])
            yield number, cells + [""] * (width - len(cells))


def _too_large(allowed: str) -> Invalid:
    return Invalid.one(
        "file",
        "too_large",
        "网页形式的表格过大，最多 {allowed}。请用 Excel 打开并另存为 .xlsx 后重新上传。",
        allowed=allowed,
    )
