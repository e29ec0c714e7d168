"""A whole open list, from the bytes of a file to records."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from harvesters.codes import CodeBook
from harvesters.open_list.column_mapping import (
    ColumnMapping,
    SheetSample,
    headless_sample_of,
    sample_of,
)
from harvesters.open_list.columns import Table, find_table, headings
from harvesters.open_list.faults import NoHeader, UnreadableList
from harvesters.open_list.fields import EXPLANATION_SHEETS, ITEM_FIELDS, LIST_FIELDS
from harvesters.open_list.items import ItemRows
from harvesters.open_list.mapping import record_from_row
from harvesters.open_list.rows import Row, read_rows
from harvesters.open_list.sheet import Sheet, read_sheets
from harvesters.record import Codes, FaultyRecord, HarvestedRecord

_SURE = 2
"""Columns that say what they are, so that a list is taken for one without a header."""


def read_open_list(
    data: bytes | str | os.PathLike[str],
    filename: str,
    codes: Codes,
    columns: ColumnMapping | None = None,
    *,
    remembered: Sequence[ColumnMapping] = (),
) -> list[HarvestedRecord | FaultyRecord]:
    """Read an agency's open list: XLSX, XLS or CSV (UTF-8, UTF-16, GB18030).

    Args:
        data: the bytes, or the path of the file.
        filename: as people know it; used in messages only.
        codes: our code lists, {list: {code: Chinese name}}; cells may hold either.
        columns: the mapping that a person has confirmed; without it, headings are looked up.
        remembered: mappings confirmed for earlier lists; one counts for a sheet that it fits
            wholly. One by position comes last, where no heading is known.

    Returns:
        Records in the order of the lines, a `FaultyRecord` in place of each line at fault, then
        one for each line of the items sheet that belongs to no data set. Places are "第 7 行".

    Raises:
        UnreadableList: the file as a whole: not a spreadsheet, too large, no lines.
        NoHeader: no known header row, and no mapping that fits.
        HeaderChanged: the columns are not those of `columns`.
    """
    content = data if isinstance(data, bytes) else Path(data).read_bytes()
    return list(iter_open_list(content, filename, codes, columns, remembered=remembered))


def read_sample(
    data: bytes,
    filename: str,
    *,
    line: int | None = None,
    headless: bool | None = None,
    codes: Codes | None = None,
) -> SheetSample:
    """Return the header and the first rows of a list, for a person who maps its columns.

    Args:
        line: that of the header, or of the first data of a list without one.
        headless: whether it has a header; None: it has none if no heading of a title is known
            and the cells say more of what they are than the headings.
        codes: for guesses by the cells of a list without a header.

    Raises:
        UnreadableList: as `read_open_list` has it.
    """
    sheets = [sheet for sheet in _list_sheets(data, filename) if not sheet.hidden]
    book = CodeBook(codes or {})
    if headless:
        return headless_sample_of(sheets, line=line, book=book)
    sample = sample_of(sheets, line=line)
    if headless is None and line is None and "title" not in sample.guess.values():
        other = headless_sample_of(sheets, book=book)
        if len(other.guess) >= max(_SURE, len(sample.guess) + 1):
            return other
    return sample


def _list_sheets(data: bytes, filename: str) -> list[Sheet]:
    return [s for s in read_sheets(data, filename) if s.name not in EXPLANATION_SHEETS]


def iter_open_list(
    data: bytes,
    filename: str,
    codes: Codes,
    columns: ColumnMapping | None = None,
    *,
    remembered: Sequence[ColumnMapping] = (),
) -> Iterator[HarvestedRecord | FaultyRecord]:
    """Yield what `read_open_list` returns; the file is read whole before the first."""
    book = CodeBook(codes)
    sheets = _list_sheets(data, filename)
    shown = [sheet for sheet in sheets if not sheet.hidden]
    lists, item_tables = _tables(shown, columns, remembered)
    if not lists:
        title = headings("list")["title"]
        raise NoHeader(
            f"文件“{filename}”中没有找到表头：需要有“{title}”一栏，以及开放类型、更新周期等栏目。"
            "列名不同、或表格没有表头行的，请在“列对应”页指定每一列的含义（没有表头的选“没有表头，"
            "按位置对应”），保存后再读。"
        )
    items = ItemRows(row for t in item_tables for row in read_rows(t, ITEM_FIELDS, book))
    rows = (row for table in lists for row in read_rows(table, LIST_FIELDS, book))
    placed = (
        (record_from_row(row, items), row.place_in_book if len(lists) > 1 else row.place)
        for row in rows
    )
    is_empty = True
    for record in _without_twins(placed):
        is_empty = False
        yield record
    if is_empty:
        raise UnreadableList(f"文件“{filename}”只有表头，没有数据。")
    yield from map(_orphan, items.left_over())
    yield from (_hidden(s) for s in sheets if s.hidden and find_table(s, "list"))


def _tables(
    sheets: list[Sheet], columns: ColumnMapping | None, remembered: Sequence[ColumnMapping]
) -> tuple[list[Table], list[Table]]:
    lists, items = [], []
    for sheet in sheets:
        if item_table := find_table(sheet, "items"):
            items.append(item_table)
        elif list_table := _list_table(sheet, columns, remembered):
            lists.append(list_table)
    if columns and not lists:
        raise columns.unfound(sheets)
    return lists, items


def _list_table(
    sheet: Sheet, columns: ColumnMapping | None, remembered: Sequence[ColumnMapping]
) -> Table | None:
    if columns is not None:
        return columns.find_table(sheet)
    by_heading = [mapping for mapping in remembered if not mapping.is_headless]
    by_position = [mapping for mapping in remembered if mapping.is_headless]
    found = (mapping.fitting_table(sheet) for mapping in by_heading)
    table = next(filter(None, found), None) or find_table(sheet, "list")
    if table is not None:
        return table
    return next(filter(None, (mapping.fitting_table(sheet) for mapping in by_position)), None)


def _without_twins(
    placed: Iterable[tuple[HarvestedRecord | FaultyRecord, str]],
) -> Iterator[HarvestedRecord | FaultyRecord]:
    """The second line with an id is at fault, and says which line was first."""
    first: dict[str, str] = {}
    for record, place in placed:
        if isinstance(record, FaultyRecord):
            yield replace(record, place=place)
        elif record.remote_id in first:
            what = "信息资源代码" if record.fields.get("code") else "提供单位和数据集名称"
            reason = f"{place}与{first[record.remote_id]}的{what}相同，请删除或改正其中一行。"
            yield FaultyRecord(place, record.remote_id, reason)
        else:
            first[record.remote_id] = place
            yield replace(record, place=place)


def _hidden(sheet: Sheet) -> FaultyRecord:
    """What somebody has hidden is not published by mistake, nor left out without a word."""
    reason = "隐藏的工作表没有读取。要采集的请取消隐藏，不要的请删去整张工作表。"
    return FaultyRecord(f"工作表“{sheet.name}”", "", reason)


def _orphan(row: Row) -> FaultyRecord:
    named = row.values.get("code") or row.values.get("title") or "（空）"
    reason = f"清单中没有名称或代码为“{named}”的数据集，或该信息项没有写明数据集。"
    return FaultyRecord(row.place_in_book, "", reason)
