"""The spreadsheet that agencies download, fill in and send back; `read_open_list` reads it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from harvesters.codes import CodeBook, data_rows
from harvesters.open_list.columns import headings
from harvesters.open_list.fields import (
    ITEM_CODES,
    ITEM_CODES_EVEN_NONE,
    LIST_CODES,
    LIST_MANY_CODES,
)
from harvesters.record import Codes

LIST_SHEET, ITEMS_SHEET, HELP_SHEET, CODES_SHEET = "开放清单", "信息项", "填写说明", "代码表"
LAST_LINE = 2000
_TEXT_LINES = 300
_TEXT_FIELDS = frozenset({"code", "provider_uscc", "contact_phone", "related_codes"})
_YES_NO = frozenset({"nullable", "primary_key", "open"})
_WIDE = frozenset({"title", "abstract", "provider_name", "collection_basis", "share_basis"})
_HEADER_FILL = PatternFill("solid", start_color="FFDDE8F5")
_EXAMPLE_FONT = Font(italic=True, color="FF808080")
_INTRODUCTION = (
    "1. 在“开放清单”中每行填一个数据集；标 * 的栏目必填。灰色斜体的示例行不会被读取，可以删除。",
    "2. 在“信息项”中每行填一个信息项，用数据集名称（或信息资源代码）与清单对应。",
    "3. 代码类栏目可填中文名称，也可填代码；多个值用顿号隔开。不要改动表头文字。",
    "4. 上传后，有误的行会逐行指出；全部无误才会导入，不会只导入一部分。",
)


def write_template(codes: Codes) -> bytes:
    """Return an XLSX with the sheets 开放清单, 信息项, 填写说明 and a hidden 代码表.

    `codes`: as for `read_open_list`; they become the drop-down lists.
    """
    book = CodeBook(codes)
    workbook = Workbook()
    listed = _active(workbook)
    listed.title = LIST_SHEET
    items = workbook.create_sheet(ITEMS_SHEET)
    _write_help(workbook.create_sheet(HELP_SHEET))
    choices = _Choices(workbook.create_sheet(CODES_SHEET), book)
    _write_sheet(listed, "list", LIST_CODES, LIST_MANY_CODES, choices)
    _write_sheet(items, "items", {**ITEM_CODES, **ITEM_CODES_EVEN_NONE}, {}, choices)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def _active(workbook: Workbook) -> Worksheet:
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)  # a new workbook has one
    return sheet


class _Choices:
    """The hidden sheet with one code list a column: lists in a cell end at 255 characters."""

    def __init__(self, sheet: Worksheet, book: CodeBook) -> None:
        self._sheet = sheet
        self._book = book
        self._ranges: dict[str, str] = {}
        sheet.sheet_state = "hidden"

    def range_of(self, codes: str) -> str:
        if codes not in self._ranges:
            column = len(self._ranges) + 1
            names = ("是", "否") if codes == "yes_no" else self._book.names(codes)
            for line, text in enumerate((codes, *names), 1):
                self._sheet.cell(line, column, text)
            letter = get_column_letter(column)
            self._ranges[codes] = f"{CODES_SHEET}!${letter}$2:${letter}${len(names) + 1}"
        return self._ranges[codes]


def _write_sheet(
    sheet: Worksheet,
    kind: str,
    one: Mapping[str, str],
    many: Mapping[str, str],
    choices: _Choices,
) -> None:
    rows = [row for row in data_rows("template_notes") if row["sheet"] == kind]
    for number, row in enumerate(rows, 1):
        field, letter = row["field"], get_column_letter(number)
        _write_header(sheet, number, kind, row)
        _write_example(sheet, number, row)
        sheet.column_dimensions[letter].width = 36 if field in _WIDE else 16
        codes = "yes_no" if field in _YES_NO else one.get(field)
        if codes:
            _add_choice(sheet, letter, choices.range_of(codes))
        elif field in many:
            choices.range_of(many[field])
        if field in _TEXT_FIELDS:  # 18 digits must not become a number
            for line in range(2, _TEXT_LINES):
                sheet.cell(line, number).number_format = "@"
    sheet.freeze_panes = "B2"


def _write_header(sheet: Worksheet, number: int, kind: str, row: Mapping[str, str]) -> None:
    heading = headings(kind)[row["field"]] + ("*" if row["required"] == "yes" else "")
    cell = sheet.cell(1, number, heading)
    cell.font = Font(bold=True)
    cell.fill = _HEADER_FILL
    cell.alignment = Alignment(wrap_text=True, vertical="center")
    if row["note"]:
        cell.comment = Comment(row["note"], "祥云", width=260, height=90)


def _write_example(sheet: Worksheet, number: int, row: Mapping[str, str]) -> None:
    if row["example"]:
        cell = sheet.cell(2, number, row["example"])
        cell.font = _EXAMPLE_FONT


def _add_choice(sheet: Worksheet, letter: str, choices: str) -> None:
    validation = DataValidation(type="list", formula1=f"={choices}", allow_blank=True)
    validation.errorTitle, validation.error = "不在可选值中", "请从下拉列表中选择。"
    validation.add(f"{letter}2:{letter}{LAST_LINE}")
    sheet.add_data_validation(validation)


def _write_help(sheet: Worksheet) -> None:
    for text in _INTRODUCTION:
        sheet.append([text])
    sheet.append([])
    _append_bold(sheet, ["工作表", "栏目", "必填", "说明"])
    for row in data_rows("template_notes"):
        where = LIST_SHEET if row["sheet"] == "list" else ITEMS_SHEET
        heading = headings(row["sheet"])[row["field"]]
        sheet.append([where, heading, "是" if row["required"] == "yes" else "", row["note"]])
    for letter, width in zip("ABCD", (12, 20, 8, 80), strict=True):
        sheet.column_dimensions[letter].width = width


def _append_bold(sheet: Worksheet, texts: Sequence[str]) -> None:
    sheet.append(list(texts))
    for cell in sheet[sheet.max_row]:
        cell.font = Font(bold=True)
