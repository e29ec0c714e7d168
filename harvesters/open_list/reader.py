"""A whole open list, from the bytes of a file to records."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from harvesters.codes import CodeBook
from harvesters.open_list.column_mapping import ColumnMapping, SheetSample, sample_of
from harvesters.open_list.columns import Table, find_table, headings
from harvesters.open_list.faults import UnreadableList
from harvesters.open_list.fields import EXPLANATION_SHEETS, ITEM_FIELDS, LIST_FIELDS
from harvesters.open_list.items import ItemRows
from harvesters.open_list.mapping import record_from_row
from harvesters.open_list.rows import Row, read_rows
from harvesters.open_list.sheet import Sheet, read_sheets
from harvesters.record import Codes, FaultyRecord, HarvestedRecord


def read_open_list(
    data: bytes | str | os.PathLike[str],
    filename: str,
    codes: Codes,
    columns: ColumnMapping | None = None,
) -> list[HarvestedRecord | FaultyRecord]:
    """Read an agency's open list: XLSX, XLS or CSV (UTF-8, UTF-16, GB18030).

    Args:
        data: the bytes, or the path of the file.
        filename: as people know it; used in messages only.
        codes: our code lists, {list: {code: Chinese name}}; cells may hold either.
        columns: the mapping that a person has confirmed; without it, headings are looked up.

    Returns:
        Records in the order of the lines, a `FaultyRecord` in place of each line at fault, then
        one for each line of the items sheet that belongs to no data set. Places are "第 7 行".

    Raises:
        UnreadableList: the file as a whole: not a spreadsheet, too large, no header row, no lines.
        HeaderChanged: the columns are not those of `columns`.
    """
    content = data if isinstance(data, bytes) else Path(data).read_bytes()
    return list(iter_open_list(content, filename, codes, columns))


def read_sample(data: bytes, filename: str, *, line: int | None = None) -> SheetSample:
    """Return the header and the first rows of a list, for a person who maps its columns.

    Raises:
        UnreadableList: as `read_open_list` has it.
    """
    return sample_of(_list_sheets(data, filename), line=line)


def _list_sheets(data: bytes, filename: str) -> list[Sheet]:
    return [s for s in read_sheets(data, filename) if s.name not in EXPLANATION_SHEETS]


def iter_open_list(
    data: bytes, filename: str, codes: Codes, columns: ColumnMapping | None = None
) -> Iterator[HarvestedRecord | FaultyRecord]:
    """Yield what `read_open_list` returns; the file is read whole before the first."""
    book = CodeBook(codes)
    lists, item_tables = _tables(_list_sheets(data, filename), columns)
    if not lists:
        title = headings("list")["title"]
        message = (
            f"文件“{filename}”中没有找到表头：需要有“{title}”一栏，以及开放类型、更新周期等栏目。"
            "列名不同的，请由管理员在采集源的“列对应”页指定。"
        )
        raise UnreadableList(message)
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


def _tables(sheets: list[Sheet], columns: ColumnMapping | None) -> tuple[list[Table], list[Table]]:
    lists, items = [], []
    for sheet in sheets:
        if item_table := find_table(sheet, "items"):
            items.append(item_table)
        elif list_table := columns.find_table(sheet) if columns else find_table(sheet, "list"):
            lists.append(list_table)
    if columns and not lists:
        raise columns.unfound(sheets)
    return lists, items


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


def _orphan(row: Row) -> FaultyRecord:
    named = row.values.get("code") or row.values.get("title") or "（空）"
    reason = f"清单中没有名称或代码为“{named}”的数据集，或该信息项没有写明数据集。"
    return FaultyRecord(row.place_in_book, "", reason)
