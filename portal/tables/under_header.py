"""From rows of cells to a table: find the header, keep the rows that are data, note the others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Protocol

import pyarrow as pa

from portal.errors import Invalid
from portal.tables.header import (
    Header,
    Merge,
    find_header,
    header_at,
    is_sequence,
    unique_names,
)
from portal.tables.limits import ReadLimits
from portal.tables.parsed_table import ParsedTable, RowsWriter, batched
from portal.tables.row_kinds import NumberedRow, RowKinds, filled_width, numeric_columns

HEADER_SAMPLE_ROWS, COMPARED_ROWS = 200, 20
MIXED_NAMES = 3
_NUMBER = re.compile(r"(?!(19|20)\d\d$)[-+]?\d[\d,]*(\.\d+)?")
BATCH_CELLS = 120_000


@dataclass(frozen=True)
class HeaderWish:
    """What a person says of the header: nothing, that there is none, or in which row it ends."""

    has_header: bool = True
    row: int | None = None  # as a spreadsheet program counts


@dataclass(frozen=True)
class Below:
    """What lies below the header: how many records stand before it, and how wide it is."""

    skipped: int
    width: int  # cells of most records, trailing empty ones included


class QuickReader(Protocol):
    """Reads all rows below the header in a faster way, or raises NotPlain."""

    def __call__(
        self, table: ParsedTable, writer: RowsWriter, kinds: RowKinds, below: Below, /
    ) -> None: ...


class NotPlain(Exception):
    """The file needs the careful reader."""


def read_under_header(
    rows: Iterator[NumberedRow],
    table: ParsedTable,
    wish: HeaderWish,
    limits: ReadLimits,
    *,
    merges: Sequence[Merge] = (),
    quick: QuickReader | None = None,
) -> ParsedTable:
    """Fill the table's names, rows and notes.

    Args:
        table: holds what is known of the source; its notes are the reader's.
        merges: merged cells, for the names.
        quick: tried first; `rows` go on from behind the sample where it gives up.

    Raises:
        Invalid: no names, no rows, or too many columns.
    """
    sample = list(islice(rows, HEADER_SAMPLE_ROWS))
    if not any(cell.strip() for _, cells in sample for cell in cells):
        raise Invalid.one("file", "no_rows", "文件里没有任何内容。请填写表头和数据后重新上传。")
    header = _choose_header(sample, wish, merges)
    for row, cells in sample[: max(header.first, 0)]:
        table.notes.add(row, "title" if any(map(str.strip, cells)) else "blank", cells)
    names = _header_cells(sample, header)
    _check_width(names, limits)
    if wish.row is None and header.last >= 0:
        _check_single(names, [cells for _, cells in sample[header.last + 1 :]])
    table.names, table.named = unique_names(names), [bool(name.strip()) for name in names]
    table.header_rows = (
        tuple(row for row, _ in sample[header.first : header.last + 1]) if header.last >= 0 else ()
    )
    under = sample[header.last + 1 :]
    kinds = RowKinds(table.notes, names, numeric_columns(under[:COMPARED_ROWS], len(names)))
    table.open()
    try:
        below = Below(header.last + 1, _usual_width(under, len(names)))
        if quick is None or not _went_quickly(quick, table, kinds, below):
            _write(table, chain(under, rows), kinds)
        if not table.row_count:
            raise Invalid.one("file", "no_rows", "表头之下没有数据行。请填写数据后重新上传。")
    except BaseException:
        table.close()
        raise
    if header.last < 0 and wish.has_header:
        table.notes.add(sample[0][0], "no_header", sample[0][1])
    return table


def _choose_header(
    sample: Sequence[NumberedRow], wish: HeaderWish, merges: Sequence[Merge]
) -> Header:
    rows = [cells for _, cells in sample]
    if not wish.has_header:
        return Header(-1, -1, ())
    if wish.row is None:
        return find_header(rows, merges)
    index = next((n for n, (row, _) in enumerate(sample) if row == wish.row), None)
    if index is None or not any(map(str.strip, rows[index])):
        raise Invalid.one(
            "header_row",
            "header_row",
            "第 {row} 行没有列名。请填写表头所在的行号（前 {most} 行之内），或留空由系统识别。",
            row=wish.row,
            most=HEADER_SAMPLE_ROWS,
        )
    return header_at(rows, index, merges)


def _header_cells(sample: Sequence[NumberedRow], header: Header) -> list[str]:
    if header.last < 0:
        return [""] * max(len(cells) for _, cells in sample)
    cells = list(header.names)
    while cells and not cells[-1].strip():
        cells.pop()
    common = sorted(filled_width(row) for _, row in sample[header.last + 1 :])
    usual = common[len(common) // 2] if common else 0
    return cells + [""] * (usual - len(cells))  # data under unnamed columns, not a ragged row


def _check_width(names: Sequence[str], limits: ReadLimits) -> None:
    if len(names) > limits.columns:
        raise Invalid.one(
            "file",
            "too_many_columns",
            "表格有 {found} 列，最多 {allowed} 列。请检查分隔符或拆分表格。",
            found=len(names),
            allowed=limits.columns,
        )


def _usual_width(rows: Sequence[NumberedRow], least: int) -> int:
    widths = sorted(len(cells) for _, cells in rows if any(map(str.strip, cells)))
    return max(least, widths[len(widths) // 2] if widths else 0)


def _check_single(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Refuse several tables side by side: numbers among the names, or gaps in them over data."""
    counted = [name.strip() for name in names if _NUMBER.fullmatch(name.strip())]
    numbers = 0 if is_sequence(counted) else len(counted)
    texts = sum(1 for name in names if name.strip()) - numbers
    last_named = max((n for n, name in enumerate(names) if name.strip()), default=0)
    longest = run = 0
    for number, name in enumerate(names[:last_named]):
        has_data = sum(1 for row in rows if number < len(row) and row[number].strip()) * 2 > len(
            rows
        )
        run = run + 1 if not name.strip() and has_data else 0
        longest = max(longest, run)
    if (numbers >= MIXED_NAMES and texts >= MIXED_NAMES) or longest >= MIXED_NAMES:
        raise Invalid.one(
            "file",
            "several_tables",
            "表头里混有数据，或大段没有列名，像是并排放着几张表。请把每张表分开，"
            "各用一行表头；若确是一张表，请在读取设置中写明表头所在的行。",
        )


def _went_quickly(quick: QuickReader, table: ParsedTable, kinds: RowKinds, below: Below) -> bool:
    """Return whether the quick reader read it all; otherwise nothing of its work stays."""
    kept = table.notes.copy()
    writer = RowsWriter(table)
    try:
        quick(table, writer, kinds, below)
    except NotPlain:
        table.row_count = 0
        table.notes.restore(kept)
        return False
    finally:
        writer.close()
    return True


def _write(table: ParsedTable, rows: Iterator[NumberedRow], kinds: RowKinds) -> None:
    kept = kinds.kept(rows)
    writer = RowsWriter(table)
    try:
        for batch in batched(kept, BATCH_CELLS // len(table.names), _size):
            numbers, cells = zip(*batch, strict=True)
            columns = [pa.array(column, pa.string()) for column in zip(*cells, strict=True)]
            writer.write(pa.array(numbers, pa.int64()), columns)
    finally:
        writer.close()


def _size(row: tuple[int, list[str | None]]) -> int:
    return sum(map(len, filter(None, row[1])))
