"""Which rows below a header are data, and a note on every one that is not, or is odd."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from portal.tables.row_notes import RowNotes

NumberedRow = tuple[int, list[str]]

ODD_INITIALS = frozenset("\ufeff（(注备说附数资来填制审合总小共累本")  # of footnotes and totals
ODD_ENDS = frozenset("计：:")
_FOOTNOTE = re.compile(
    r"[（(]?(注|备注|说明|附注|数据来源|资料来源|来源|填报|填表|制表|审核)[^:：]{0,6}[:：].*", re.S
)
_SIGNED = re.compile(r"[^:：]{1,12}[:：].*", re.S)  # 审核人：李四
TOTAL = r"(.{0,12}(合|总|小|共)\s*计|累\s*计)\s*[:：]?"
_TOTAL = re.compile(TOTAL)
_NO_NAME = re.compile(r"[-+]?[\d,.]+[%％]?|\d{4}[-/.年].*|[-—－/…]+")  # numbers, dates, blank marks


class RowKinds:
    """Judges rows by the header they stand under.

    Args:
        numeric: the columns that hold numbers, as the first rows show: words in them, after a blank
            row, are the header of another table.
    """

    def __init__(self, notes: RowNotes, header: Sequence[str], numeric: Sequence[int] = ()) -> None:
        self._notes = notes
        self.header = [cell.strip() for cell in header]
        self._numeric = tuple(numeric)
        self.watched = 0  # the row that follows a blank one

    def kept(self, rows: Iterator[NumberedRow]) -> Iterator[tuple[int, list[str | None]]]:
        """Pass on the rows that are data, each exactly as wide as the header; note the others."""
        width = len(self.header)
        for row, cells in rows:
            if len(cells) == width and row != self.watched and self._is_plainly_data(cells[0]):
                yield row, cells  # type: ignore[misc]  # a list of str serves as one of str | None
            elif self.keeps(row, cells):
                missing: list[str | None] = [None] * (width - len(cells))
                yield row, [*cells[:width], *missing]

    def keeps(self, row: int, cells: Sequence[str]) -> bool:
        """Note what the row is, unless it is plain data; return whether it is data."""
        kind = self._kind(row, cells)
        if kind:
            self._notes.add(row, kind, cells)
        return kind in (None, "total", "short", "second_header")

    def _is_plainly_data(self, first: str) -> bool:
        """Tell by the first cell that nothing is odd about a row: most rows go this way."""
        first = first.strip()
        return (
            bool(first)
            and first[0] not in ODD_INITIALS
            and first[-1] not in ODD_ENDS
            and first != self.header[0]
        )

    def _kind(self, row: int, cells: Sequence[str]) -> str | None:
        width = len(self.header)
        first = cells[0].strip().lstrip("\ufeff") if cells else ""
        filled = [cell.strip() for cell in cells if cell.strip()]
        if not filled:
            self.watched = row + 1
            return "blank"
        if len(filled) == 1 and row == self.watched:
            self.watched = row + 1  # perhaps the title of another table
        if len(cells) > width and filled_width(cells) > width:
            return "long"
        if (
            first == self.header[0]
            and [cell.strip().lstrip("\ufeff") for cell in cells[:width]] == self.header
        ):
            return "repeated_header"
        if first and width > 1 and _FOOTNOTE.fullmatch(first) and all(map(_SIGNED.match, filled)):
            return "footnote"
        if _TOTAL.fullmatch(first) or (
            not first and len(cells) > 1 and _TOTAL.fullmatch(cells[1].strip())
        ):
            return "total"
        if row == self.watched and len(filled) > 1 and self._is_another_header(cells):
            return "second_header"
        return "short" if len(cells) < width else None

    def _is_another_header(self, cells: Sequence[str]) -> bool:
        here = [cells[n].strip() for n in self._numeric if n < len(cells)]
        words = sum(1 for cell in here if cell and not _NO_NAME.fullmatch(cell))
        return words > 0 and not any(_NO_NAME.fullmatch(cell.strip()) for cell in cells)


def numeric_columns(rows: Sequence[NumberedRow], width: int) -> list[int]:
    """Return the columns in which most of the filled cells are numbers."""
    found = []
    for number in range(width):
        filled = [cells[number].strip() for _, cells in rows if number < len(cells)]
        filled = [cell for cell in filled if cell]
        numbers = sum(1 for cell in filled if _NO_NAME.fullmatch(cell))
        if filled and numbers * 2 > len(filled):
            found.append(number)
    return found


def filled_width(cells: Sequence[str]) -> int:
    """Return how many cells there are up to the last one that holds something."""
    for count in range(len(cells), 0, -1):
        if cells[count - 1].strip():
            return count
    return 0
