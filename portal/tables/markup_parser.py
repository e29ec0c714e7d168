"""Finds the tables of HTML and of Excel's XML of 2003; the names of their elements do not meet.

A table within a cell of another one is a table of its own. Nothing outside the file is ever fetched,
and entities that a file declares are not known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from portal.tables.header import Merge

_START = re.compile(
    r"<(!doctype\s+html|html|head|meta|body|table|style|div|center|form)\b|<!--|<\?xml\b", re.I
)
_ROWS, _CELLS = frozenset({"tr", "row"}), frozenset({"td", "th", "cell"})
_UNSEEN = frozenset({"script", "style", "comment", "title"})
_BREAKS = frozenset({"br", "p", "div", "li"})
_SPACES = re.compile(r"[ \t\r\n\f\u00a0]+")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?")
MOST_SPANNED, MOST_COLUMNS = 5000, 16_384


class TooManyCells(Exception):
    """The tables hold more than allowed."""


def looks_like_markup(start: str) -> bool:
    """Tell by the first characters of a text, without spaces before them."""
    return _START.match(start) is not None


@dataclass
class Table:
    """Rows of texts; `spread`: the columns of each row that repeat a merged cell above."""

    rows: list[list[str]] = field(default_factory=list)
    spread: list[list[int]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    cells: int = 0
    down: dict[int, tuple[int, str]] = field(default_factory=dict)  # column: rows left, text
    in_row: bool = False

    def start_row(self, skipped: int) -> None:
        self.end_row()
        for _ in range(skipped):
            self.rows.append([])
            self.spread.append([])
        self.rows.append([])
        self.spread.append([])
        self.in_row = True

    def end_row(self) -> None:
        if self.in_row:
            for column in range(len(self.rows[-1]), max(self.down, default=-1) + 1):
                if not self._take_from_above(column):
                    self.rows[-1].append("")
        self.in_row = False

    def add(self, text: str, across: int, downwards: int, column: int | None) -> None:
        row = self.rows[-1]
        while column is not None and len(row) < column:
            row.append("")
        while self._take_from_above(len(row)):
            pass
        left, top = len(row), len(self.rows) - 1
        row += [text] + [""] * (across - 1)
        self.cells += bool(text)
        if across > 1 or downwards > 1:
            self.merges.append((top, left, top + downwards - 1, left + across - 1))
        for number in range(left, left + across) if downwards > 1 else ():
            self.down[number] = (downwards - 1, text if number == left else "")

    def _take_from_above(self, column: int) -> bool:
        if column not in self.down:
            return False
        rows, text = self.down.pop(column)
        self.rows[-1].append(text)
        self.spread[-1].append(column)
        if rows > 1:
            self.down[column] = (rows - 1, text)
        return True


@dataclass
class _Cell:
    across: int
    downwards: int
    column: int | None
    is_excel: bool
    parts: list[str] = field(default_factory=list)

    def text(self) -> str:
        lines = "".join(self.parts).split("\n")
        text = "\n".join(line.strip() for line in lines if line.strip())
        found = _MOMENT.fullmatch(text) if self.is_excel else None
        if found is None:
            return text
        return found[1] if found[2] == "00:00:00" else f"{found[1]} {found[2]}"


class MarkupParser(HTMLParser):
    """Feed it, close it; then `tables` holds every table, `outside` the texts in none of them."""

    def __init__(self, most_cells: int) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[Table] = []
        self.outside: list[str] = []
        self._open: list[tuple[Table, list[_Cell]]] = []  # each with the cell that is open in it
        self._unseen = 0
        self._most, self._count = most_cells, 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        name = tag.rpartition(":")[2]
        if name in _UNSEEN:
            self._unseen += 1
        elif name == "table":
            self._open.append((Table(), []))
        elif self._open and name in _ROWS:
            self._end_cell()
            skipped = _number(attrs, "ss:index") - len(self._open[-1][0].rows) - 1
            self._check(max(skipped * 10, len(self._open[-1][0].down)))
            self._open[-1][0].start_row(max(0, skipped))
        elif self._open and name in _CELLS:
            self._start_cell(attrs, is_excel=name == "cell")
        elif name in _BREAKS:
            self._add("\n")

    def handle_endtag(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        if name in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif not self._open:
            return
        elif name == "table":
            self._end_table()
        elif name in _ROWS:
            self._end_cell()
            self._open[-1][0].end_row()
        elif name in _CELLS:
            self._end_cell()

    def handle_data(self, data: str) -> None:
        self._add(_SPACES.sub(" ", data))

    def handle_comment(self, data: str) -> None:
        self.outside.append(data)

    def unknown_decl(self, data: str) -> None:
        if data.startswith("CDATA["):
            self._add(data[6:])

    def close(self) -> None:
        super().close()
        while self._open:
            self._end_table()

    def _add(self, text: str) -> None:
        if self._open and self._open[-1][1] and not self._unseen:
            self._open[-1][1][-1].parts.append(text)
        elif text.strip():
            self.outside.append(text)

    def _start_cell(self, attrs: list[tuple[str, str | None]], *, is_excel: bool) -> None:
        self._end_cell()
        table, cells = self._open[-1]
        if not table.in_row:
            table.start_row(0)
        across = max(_number(attrs, "colspan"), _number(attrs, "ss:mergeacross") + 1, 1)
        downwards = max(_number(attrs, "rowspan"), _number(attrs, "ss:mergedown") + 1, 1)
        place = _number(attrs, "ss:index")
        column = min(place, MOST_COLUMNS) - 1 if place else None
        cells.append(
            _Cell(min(across, MOST_SPANNED), min(downwards, MOST_SPANNED), column, is_excel)
        )
        self._check(max(across, column or 0))

    def _end_cell(self) -> None:
        table, cells = self._open[-1]
        if cells:
            one = cells.pop()
            table.add(one.text(), one.across, one.downwards, one.column)

    def _end_table(self) -> None:
        self._end_cell()
        table, _ = self._open.pop()
        table.end_row()
        if table.rows:
            self.tables.append(table)

    def _check(self, more: int) -> None:
        self._count += max(more, 1)
        if self._count > self._most:
            raise TooManyCells


def _number(attrs: list[tuple[str, str | None]], name: str) -> int:
    text = next((value for key, value in attrs if key == name), None) or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
