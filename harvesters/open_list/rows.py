"""One line of a table as values by field, its faults, and what has no field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harvesters.codes import CodeBook, plain_word
from harvesters.open_list.cells import Read, read_cell
from harvesters.open_list.columns import Table
from harvesters.open_list.faults import CellFault
from harvesters.open_list.fields import EXAMPLE, EXTRA_STARTS, EXTRA_WORDS


@dataclass(frozen=True)
class Row:
    """`number` counts lines from 1, as a spreadsheet shows them."""

    sheet_name: str
    number: int
    values: Mapping[str, Any]
    faults: tuple[str, ...]
    foreign: Mapping[str, str]

    @property
    def place(self) -> str:
        return f"第 {self.number} 行"

    @property
    def place_in_book(self) -> str:
        return f"“{self.sheet_name}”第 {self.number} 行"


def read_rows(table: Table, readers: Mapping[str, Read], book: CodeBook) -> Iterator[Row]:
    """Yield every line that says something: no blank ones, footnotes, sums, nor the example."""
    for number, cells in table.rows:
        if not _is_left_out(table, cells):
            yield _read_row(table, number, cells, readers, book)


def _is_left_out(table: Table, cells: Sequence[str]) -> bool:
    said = [c for c in table.columns if c.index < len(cells) and cells[c.index]]
    filled = [cell for cell in cells if cell]
    if not said or filled[0].startswith(EXAMPLE):
        return True
    if any(cells[c.index].startswith(EXAMPLE) for c in said if c.field == "title"):
        return True
    if len(set(filled)) == 1:
        word = plain_word(filled[0])
        is_only_a_number = all(plain_word(c.heading) in ("序号", "编号") for c in said)
        return is_only_a_number or word in EXTRA_WORDS or filled[0].startswith(EXTRA_STARTS)
    return filled[0] in EXTRA_WORDS


def _read_row(
    table: Table, number: int, cells: Sequence[str], readers: Mapping[str, Read], book: CodeBook
) -> Row:
    values: dict[str, Any] = {}
    foreign: dict[str, str] = {}
    faults: list[str] = []
    for column in table.columns:
        text = cells[column.index] if column.index < len(cells) else ""
        if not column.field:
            foreign |= {column.heading: text} if text else {}
            continue
        try:
            value = read_cell(readers[column.field], text, book)
        except CellFault as fault:
            faults.append(f"“{column.heading}”一栏：{fault}")
            continue
        if value is not None:
            values[column.field] = value
    return Row(table.sheet_name, number, values, tuple(faults), foreign)
