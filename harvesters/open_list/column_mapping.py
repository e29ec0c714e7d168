"""A confirmed mapping of a list's columns: which heading holds which field, and when it no longer fits.

Without a confirmed mapping the headings are looked up in our vocabulary (`columns.py`), which is
also the guess that a person starts from. A list without headings is mapped by position, and only
so: what stands in its first line is never guessed to be a heading, nor the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harvesters.codes import CodeBook, plain_word
from harvesters.open_list.cell_guess import guess_by_cells
from harvesters.open_list.columns import HEADER_WITHIN, Column, Table, field_of, find_table
from harvesters.open_list.faults import UnreadableList
from harvesters.open_list.sheet import Sheet

SAMPLE_ROWS = 8
_LONGEST_CELL = 120
_GUESSED_ROWS = 200


@dataclass(frozen=True)
class SheetSample:
    """The first rows of a list, for a person who maps its columns.

    `line` counts from 1 and is that of the header. `guess`: heading -> field of our vocabulary.
    `headless`: there is no header; `line` is that of the first data, the headings are made up
    ("第 1 列"), and the guess goes by what stands in the cells.
    """

    sheet: str
    line: int
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    guess: Mapping[str, str]
    headless: bool = False


class HeaderChanged(UnreadableList):
    """The columns are not those that a person has mapped; nothing is read by guessing."""

    def __init__(self, message: str, sample: SheetSample) -> None:
        super().__init__(message)
        self.sample = sample


@dataclass(frozen=True)
class ColumnMapping:
    """`fields`: heading -> field, "" for a column that is kept as it is.

    `first_line`: the list has no header, its data begin in this line (from 1), and `header` is
    made of `column_name`s.
    """

    header: tuple[str, ...]
    fields: Mapping[str, str]
    first_line: int = 0

    @classmethod
    def of(cls, values: Mapping[str, Any] | None) -> ColumnMapping | None:
        """Return what `{"header": [...], "fields": {...}, "first_line": 0}` says; None for nothing."""
        if not values:
            return None
        first_line = int(values.get("first_line") or 0)
        return cls(tuple(values["header"]), dict(values["fields"]), first_line)

    @property
    def is_headless(self) -> bool:
        return self.first_line > 0

    def fitting_table(self, sheet: Sheet) -> Table | None:
        """Return the sheet's table if it is wholly as the mapping has it; else None."""
        try:
            return self.find_table(sheet)
        except HeaderChanged:
            return None

    def find_table(self, sheet: Sheet) -> Table | None:
        """Return the sheet's table if at least half of the mapped headings stand in one line.

        Raises:
            HeaderChanged: not all of them, or others beside them.
        """
        if self.is_headless:
            return self._by_position(sheet)
        wanted = {plain_word(heading) for heading in self.header}
        lines = enumerate(sheet.rows[:HEADER_WITHIN])
        best, at = max(
            ((len(wanted & set(map(plain_word, row))), -at) for at, row in lines), default=(0, 0)
        )
        if best * 2 < len(wanted) or not best:
            return None
        header = sheet.rows[-at]
        if {plain_word(cell) for cell in header if cell} != wanted:
            raise self._changed(header, sample_of([sheet], line=1 - at))
        rows = tuple(enumerate(sheet.rows[1 - at :], 2 - at))
        return Table(sheet.name, tuple(self._columns(header)), rows)

    def _by_position(self, sheet: Sheet) -> Table | None:
        """Return the table of a sheet with as many columns and no header.

        Raises:
            HeaderChanged: the list has a header now.
        """
        if _width(sheet) != len(self.header):
            return None
        if find_table(sheet, "list") is not None:
            sample = sample_of([sheet])
            raise HeaderChanged(
                f"已确认的列对应是“没有表头，按位置对应”，而工作表“{sheet.name}”的第 {sample.line} "
                "行现在是表头。没有采集任何记录，请核对列对应后重新采集。",
                sample,
            )
        rows = tuple(enumerate(sheet.rows[self.first_line - 1 :], self.first_line))
        return Table(sheet.name, tuple(self._columns(self.header)), rows)

    def unfound(self, sheets: Sequence[Sheet]) -> HeaderChanged:
        """Return the error for a file in which no sheet has the mapped header."""
        if self.is_headless:
            sample = headless_sample_of(sheets, line=None)
            return HeaderChanged(
                f"已确认的列对应按位置有 {len(self.header)} 列，而表格现在有 {len(sample.header)} 列。"
                "没有采集任何记录，请核对列对应后重新采集。",
                sample,
            )
        sample = sample_of(sheets)
        return self._changed(sample.header, sample)

    def _changed(self, found: Sequence[str], sample: SheetSample) -> HeaderChanged:
        known, here = _words(self.header), _words(found)
        parts = [
            f"{verb}{'、'.join(f'“{h}”' for h in headings[:8])}{' 等' if len(headings) > 8 else ''}"
            for verb, headings in (
                ("新增", [here[word] for word in here if word not in known]),
                ("缺少", [known[word] for word in known if word not in here]),
            )
            if headings
        ]
        what = "，".join(parts) or "没有找到表头"
        return HeaderChanged(
            f"表头与已确认的列对应不一致：{what}。没有采集任何记录，请核对列对应后重新采集。",
            sample,
        )

    def _columns(self, header: Sequence[str]) -> Iterable[Column]:
        """Of two columns for one field the first counts, the other is kept as foreign."""
        fields = {plain_word(heading): field for heading, field in self.fields.items()}
        used: set[str] = set()
        for index, heading in enumerate(header):
            if not heading:
                continue
            field = fields.get(plain_word(heading), "")
            yield Column(index, heading, "" if field in used else field)
            used.add(field)


def _words(headings: Iterable[str]) -> dict[str, str]:
    return {plain_word(heading): heading for heading in headings if heading}


def sample_of(sheets: Sequence[Sheet], *, line: int | None = None) -> SheetSample:
    """Return the first rows of the sheet that looks most like a list.

    Args:
        line: where the header stands (from 1), if a person says so; else the line with the most
            known headings, or with the most different cells.

    Raises:
        UnreadableList: no sheet has two cells side by side, or not so many lines.
    """
    if not sheets:
        raise UnreadableList("电子表格中没有工作表。")
    found = [(sheet, _header_line(sheet) if line is None else line - 1) for sheet in sheets]
    sheet, at = max(found, key=lambda pair: _likeness(*pair))
    if not 0 <= at < len(sheet.rows) or len(_filled(sheet.rows[at])) < 2:
        raise UnreadableList("没有找到表头：该行至少要有两个不同的列名。")
    header = tuple(cell[:_LONGEST_CELL] for cell in sheet.rows[at])
    rows = tuple(
        tuple(cell[:_LONGEST_CELL] for cell in row)
        for row in sheet.rows[at + 1 : at + 1 + SAMPLE_ROWS]
    )
    return SheetSample(sheet.name, at + 1, header, rows, _guess(header))


def column_name(number: int) -> str:
    """Return how a column without a heading is called; `number` counts from 1."""
    return f"第 {number} 列"


def headless_sample_of(
    sheets: Sequence[Sheet], *, line: int | None = None, book: CodeBook | None = None
) -> SheetSample:
    """Return the first rows of the widest sheet as one without a header.

    Args:
        line: where the data begin (from 1); else the first line with at least two cells filled.
        book: for guesses by the words of our code lists.

    Raises:
        UnreadableList: no sheet has two columns, or not so many lines.
    """
    sheet = max(sheets, key=_width, default=None)
    if sheet is None or _width(sheet) < 2:
        raise UnreadableList("表格至少要有两列，才能按位置对应。")
    filled = (at for at, row in enumerate(sheet.rows) if sum(map(bool, row)) > 1)
    at = next(filled, 0) if line is None else line - 1
    if not 0 <= at < len(sheet.rows):
        raise UnreadableList(f"工作表“{sheet.name}”没有第 {at + 1} 行。")
    header = tuple(column_name(number) for number in range(1, _width(sheet) + 1))
    lines = sheet.rows[at : at + SAMPLE_ROWS]
    rows = tuple(tuple(cell[:_LONGEST_CELL] for cell in row) for row in lines)
    guess = guess_by_cells(header, sheet.rows[at : at + _GUESSED_ROWS], book) if book else {}
    return SheetSample(sheet.name, at + 1, header, rows, guess, headless=True)


def _width(sheet: Sheet) -> int:
    """Return how many columns are used; those at the right that are empty throughout do not count."""
    return max(
        (at + 1 for row in sheet.rows for at in range(len(row) - 1, -1, -1) if row[at]), default=0
    )


def _guess(header: Sequence[str]) -> dict[str, str]:
    guess: dict[str, str] = {}
    for heading in header:
        field = field_of("list", heading)
        if field and field not in guess.values():
            guess[heading] = field
    return guess


def _header_line(sheet: Sheet) -> int:
    table = find_table(sheet, "list")
    if table is not None:
        return table.rows[0][0] - 2 if table.rows else 0
    counts = [(len(_filled(row)), -at) for at, row in enumerate(sheet.rows[:HEADER_WITHIN])]
    return -max(counts, default=(0, 0))[1]


def _filled(row: Sequence[str]) -> set[str]:
    return {cell for cell in row if cell}


def _likeness(sheet: Sheet, at: int) -> tuple[int, int]:
    row = sheet.rows[at] if 0 <= at < len(sheet.rows) else ()
    return len(_guess(row)), len(_filled(row))
