"""Rows of a workbook (.xlsx, .xlsm, .xls, .ods), as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from portal.errors import Invalid
from portal.tables.header import Merge
from portal.tables.limits import ReadLimits
from portal.tables.quick_workbook import read_quickly
from portal.tables.row_notes import RowNotes
from portal.tables.under_header import QuickReader
from portal.tables.workbook_guard import check_workbook, encrypted, is_excel_95, unreadable

HEADER_DEPTH = 10  # rows from the top in which merged cells are those of a header
EXACT_FLOAT = 10**15  # Excel keeps 15 digits; what lies behind was replaced by zeros


class WorkbookRows:
    """The rows of one sheet: the named one, or the first visible one that holds a table."""

    def __init__(self, path: Path, sheet: str | None, limits: ReadLimits, notes: RowNotes) -> None:
        odd = check_workbook(path, limits)
        self._notes = notes
        self._lost_digits = False  # of a number in the row at hand
        try:
            self._workbook = CalamineWorkbook.from_path(str(path))
        except PasswordError:
            raise encrypted() from None
        except (CalamineError, OSError):
            raise unreadable() from None
        self.sheets = [
            meta.name
            for meta in self._workbook.sheets_metadata
            if meta.typ == SheetTypeEnum.WorkSheet and meta.visible == SheetVisibleEnum.Visible
        ]
        self._sheet = self._choose(sheet)
        self.sheet = self._sheet.name
        for kind, count in (("formula_blank", odd.unvalued), ("error_cell", odd.errors)):
            if count:
                notes.add(1, kind, [f"{count} 个单元格"])
        if is_excel_95(path):
            self._check_readable()
        first = self._sheet.start[1] if self._sheet.start else 0  # rows begin with this column
        self.merges: list[Merge] = [
            (top, left - first, bottom, right - first)
            for (top, left), (bottom, right) in (self._sheet.merged_cell_ranges or ())
        ]

    def quick(self) -> QuickReader:
        """Return the reader of whole columns."""
        rows = iter(self._sheet.iter_rows())
        return partial(read_quickly, rows=rows, merges=self.merges, cell_text=cell_text)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        down = {
            (row, left): top
            for top, left, bottom, right in self.merges
            if left == right
            for row in range(top + 1, bottom + 1)
        }
        spread = {row for row, _ in down}
        above: list[str] = []
        for number, cells in enumerate(self._sheet.iter_rows()):
            texts = [cell if cell.__class__ is str else self._text(cell) for cell in cells]
            if self._lost_digits:
                self._notes.add(number + 1, "precision_lost", texts)
                self._lost_digits = False
            if number in spread:
                self._fill(number, texts, above, down)
            above = texts
            yield number + 1, texts

    def _check_readable(self) -> None:
        """The reader knows no code page of Excel 95: Chinese in such a file is lost."""
        if any("\ufffd" in cell for row in self._sheet.iter_rows() for cell in map(str, row)):
            raise Invalid.one(
                "file",
                "old_workbook",
                "文件是 Excel 95 的旧格式，其中的中文读不出来。请用 Excel 或 WPS 打开并另存为 .xlsx 后重新上传。",
            )

    def _text(self, value: Any) -> str:
        """As `cell_text`; most cells that are no text are floats, and their way is short."""
        if value.__class__ is not float:
            return cell_text(value)
        text = f"{value:.15g}"  # the digits that Excel keeps: 0.1+0.2 is 0.3, as the author saw it
        if "e" not in text:
            return text
        self._lost_digits = self._lost_digits or abs(value) >= EXACT_FLOAT
        return format(Decimal(text), "f")

    def _fill(
        self, number: int, texts: list[str], above: list[str], down: dict[tuple[int, int], int]
    ) -> None:
        """Give a row what stands in the cells that are merged with those above it."""
        filled = [c for c in range(len(texts)) if (number, c) in down and not texts[c]]
        for column in filled:
            texts[column] = above[column]
        if any(texts[column] for column in filled) and number > HEADER_DEPTH:
            self._notes.add(number + 1, "merged", [texts[column] for column in filled])

    def _choose(self, name: str | None) -> Any:
        if name is not None:
            if name not in self._workbook.sheet_names:
                raise Invalid.one(
                    "sheet",
                    "sheet_missing",
                    "工作簿中没有名为“{sheet}”的工作表；现有：{sheets}。",
                    sheet=name[:80],
                    sheets="、".join(self.sheets)[:400],
                )
            return self._read(name)
        first = None
        for candidate in self.sheets:
            sheet = self._read(candidate)
            if sheet.start is None:
                continue
            if sheet.width > 1 and sheet.height > 1:
                return sheet
            first = first or sheet  # a few lines of explanation, unless nothing else is there
        if first is not None:
            return first
        if len(self._workbook.sheet_names) > len(self.sheets):
            raise Invalid.one(
                "file",
                "hidden_sheets",
                "看得见的工作表都是空的，内容只在隐藏的工作表里。请在 Excel 中取消隐藏后重新上传。",
            )
        raise Invalid.one("file", "no_rows", "工作簿里没有任何内容。请填写数据后重新上传。")

    def _read(self, name: str) -> Any:
        try:
            return self._workbook.get_sheet_by_name(name)
        except (CalamineError, OSError, ValueError):
            raise unreadable() from None


def cell_text(value: Any) -> str:
    """Return what the cell shows: whole numbers without a point, ISO dates, no float noise."""
    return _TEXTS.get(value.__class__, str)(value)


def _moment_text(value: datetime) -> str:
    if value.hour or value.minute or value.second or value.microsecond:
        return value.isoformat(" ", "seconds")
    return value.date().isoformat()


def _duration_text(value: timedelta) -> str:
    minutes, seconds = divmod(round(value.total_seconds()), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"


def _number_text(value: float) -> str:
    """Give at most the 15 digits that Excel keeps: 0.1+0.2 is 0.3, as the author saw it."""
    if isinstance(value, int) or value.is_integer():
        whole = int(value)
        return str(whole) if abs(whole) < EXACT_FLOAT else format(Decimal(f"{value:.15g}"), "f")
    return format(Decimal(f"{value:.15g}"), "f")


_TEXTS: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "TRUE" if value else "FALSE",
    int: _number_text,
    float: _number_text,
    datetime: _moment_text,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: _duration_text,
}
