"""Which rows below a header are data, and a note on every one that is not, or is odd."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from portal.tables.row_notes import RowNotes

NumberedRow = tuple[int, list[str]]

ODD_INITIALS = frozenset("（(注备说附数资来填制审合总小共")  # of footnotes and totals
_FOOTNOTE = re.compile(
    r"[（(]?(注|备注|说明|附注|数据来源|资料来源|来源|填报|填表|制表|审核)[^:：]{0,6}[:：].*", re.S
)
_TOTALS = frozenset({"合计", "总计", "小计", "共计", "总 计", "合 计"})


class RowKinds:
    """Judges rows by the header they stand under."""

    def __init__(self, notes: RowNotes, header: Sequence[str]) -> None:
        self._notes = notes
        self.header = [cell.strip() for cell in header]

    def kept(self, rows: Iterator[NumberedRow]) -> Iterator[tuple[int, list[str | None]]]:
        """Pass on the rows that are data, each exactly as wide as the header; note the others."""
        width = len(self.header)
        for row, cells in rows:
            if len(cells) == width and self._is_plainly_data(cells[0]):
                yield row, cells  # type: ignore[misc]  # a list of str serves as one of str | None
            elif self.keeps(row, cells):
                missing: list[str | None] = [None] * (width - len(cells))
                yield row, [*cells[:width], *missing]

    def keeps(self, row: int, cells: Sequence[str]) -> bool:
        """Note what the row is, unless it is plain data; return whether it is data."""
        kind = self._kind(cells)
        if kind:
            self._notes.add(row, kind, cells)
        return kind in (None, "total", "short")

    def _is_plainly_data(self, first: str) -> bool:
        """Tell by the first cell that nothing is odd about a row: most rows go this way."""
        first = first.strip()
        return bool(first) and first[0] not in ODD_INITIALS and first != self.header[0]

    def _kind(self, cells: Sequence[str]) -> str | None:
        width = len(self.header)
        first = cells[0].strip() if cells else ""
        if not first and not "".join(cells).strip():
            return "blank"
        if len(cells) > width and filled_width(cells) > width:
            return "long"
        if first == self.header[0] and [cell.strip() for cell in cells[:width]] == self.header:
            return "repeated_header"
        if first and width > 1 and _FOOTNOTE.fullmatch(first) and not "".join(cells[1:]).strip():
            return "footnote"
        if first in _TOTALS or (not first and len(cells) > 1 and cells[1].strip() in _TOTALS):
            return "total"
        return "short" if len(cells) < width else None


def filled_width(cells: Sequence[str]) -> int:
    """Return how many cells there are up to the last one that holds something."""
    for count in range(len(cells), 0, -1):
        if cells[count - 1].strip():
            return count
    return 0
