from __future__ import annotations

import zipfile
from datetime import date, datetime, time

import openpyxl
import pyarrow.parquet as pq
import pytest

from portal.errors import Invalid
from portal.tables import quick_workbook
from portal.tables.limits import ReadLimits
from portal.tables.reader import read_table
from portal.tables.under_header import NotPlain
from portal.tables.workbook_guard import OLE_SIGNATURE
from tests.portal.tables.test_reader import rows_of

SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<sheetData>{}</sheetData></worksheet>"
)


def make_workbook(path, sheet, *, extra=None):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return path


def defect(path, **options):
    with pytest.raises(Invalid) as caught:
        read_table(path, filename=path.name, **options)
    return caught.value.defects[0]


def test_the_first_visible_sheet_is_read_with_its_types_as_text(files):
    with read_table(files / "schools.xlsx", filename="schools.xlsx") as table:
        assert (table.sheet, table.sheets) == ("名单", ["名单", "说明"])
        data = pq.read_table(table.rows_path).to_pydict()
    assert table.names[:3] == ["序号", "学校名称", "学校标识码"]
    assert data["c0"] == ["甲市（2所）", "1", "2", "乙市（1所）", "3"]
    assert data["c2"][1] == "0111010001"
    assert data["c3"][1:3] == ["1946-10-01", "1952-09-01"]
    assert data["c4"][1:3] == ["2024-05-06 07:08:09", "2024-05-06"]
    assert data["c6"][1:3] == ["5000.5", "0.3"]
    assert data["_row"] == [4, 5, 6, 7, 8]


def test_a_sheet_may_be_named(files):
    with read_table(files / "schools.xlsx", filename="schools.xlsx", sheet="说明") as table:
        assert table.names == ["项", "值"]
    found = defect(files / "schools.xlsx", sheet="没有")
    assert found.code == "sheet_missing"
    assert "名单、说明" in found.text()


def test_numbers_that_excel_has_cut_are_noted(tmp_path):
    import openpyxl

    workbook = openpyxl.Workbook()
    workbook.active.append(["名称", "号"])
    workbook.active.append(["甲", 220102199001010011])
    workbook.save(tmp_path / "long.xlsx")
    with read_table(tmp_path / "long.xlsx", filename="long.xlsx") as table:
        assert [(note.row, note.kind) for note in table.notes.listed] == [(2, "precision_lost")]
        assert pq.read_table(table.rows_path).to_pydict()["c1"] == ["220102199001010000"]


def test_a_bomb_by_ratio_is_refused(tmp_path):
    path = make_workbook(tmp_path / "bomb.xlsx", SHEET.format(" " * 30_000_000))
    assert path.stat().st_size < 100_000
    found = defect(path)
    assert found.code == "workbook_bomb"
    assert "压缩比" in found.text()


def test_a_bomb_by_extent_is_refused(tmp_path):
    row = '<row><c r="A1"><v>1</v></c></row><row><c r="XFD1048576"><v>1</v></c></row>'
    found = defect(make_workbook(tmp_path / "far.xlsx", SHEET.format(row)))
    assert found.code == "workbook_area"
    assert "1048576" in found.text()


def test_formatted_empty_cells_far_away_do_no_harm(tmp_path, files):
    path = tmp_path / "styled.xlsx"
    with zipfile.ZipFile(files / "schools.xlsx") as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                far = b'<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>'
                content = content.replace(b"</sheetData>", far)
            new.writestr(entry.filename, content)
    with read_table(path, filename="styled.xlsx") as table:
        assert table.row_count > 0


def test_too_many_cells_parts_or_bytes_are_refused(tmp_path):
    cells = "<row>" + '<c r="A1"><v>1</v></c>' * 200 + "</row>"
    path = make_workbook(tmp_path / "cells.xlsx", SHEET.format(cells))
    assert defect(path, limits=ReadLimits(workbook_cells=100)).code == "too_large"
    assert defect(path, limits=ReadLimits(workbook_entries=1)).code == "too_large"
    assert defect(path, limits=ReadLimits(workbook_bytes=10)).code == "too_large"
    assert defect(path, limits=ReadLimits(workbook_unpacked_bytes=10)).code == "too_large"


@pytest.mark.parametrize("place", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"])
def test_entities_are_refused(tmp_path, place):
    evil = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    extra = {} if place.endswith("sheet1.xml") else {place: evil}
    sheet = evil if place.endswith("sheet1.xml") else SHEET.format("")
    found = defect(make_workbook(tmp_path / "evil.xlsx", sheet, extra=extra))
    assert found.code == "workbook_entities"


def test_a_locked_workbook_says_so(tmp_path):
    path = tmp_path / "locked.xlsx"
    path.write_bytes(OLE_SIGNATURE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"))
    found = defect(path)
    assert found.code == "encrypted"
    assert "密码" in found.text()


@pytest.mark.parametrize("content", [b"PK\x03\x04broken", OLE_SIGNATURE + b"broken" * 100])
def test_a_broken_workbook_says_so(tmp_path, content):
    path = tmp_path / "broken.xlsx"
    path.write_bytes(content)
    assert defect(path).code == "workbook_unreadable"


def test_a_zip_that_is_no_workbook_says_so(tmp_path):
    path = tmp_path / "data.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert defect(path).code == "workbook_unreadable"


@pytest.mark.parametrize("merged", ["", "A6:A7"])
def test_the_quick_and_the_careful_reader_of_workbooks_agree(tmp_path, monkeypatch, merged):
    book = openpyxl.Workbook()
    rows = [
        ["标题"], ["编号", "名称", "数", "时", "混", "日"], [1, "甲", 1.5, datetime(2024, 3, 5), "x", None],
        [], [None, "合计", 0.1 + 0.2, datetime(2024, 3, 5, 8, 30), True, date(2024, 3, 6)],
        [3, "丙", 1e-7, None, 2, date(2024, 3, 7)], [4, "丁", -3, datetime(2024, 1, 1, 0, 0, 1), time(8, 5), None],
        ["编号", "名称", "数", "时", "混", "日"], ["注：说明"], [123456789.123, " 戊\u3000", 5, None, 1e14, None],
    ]  # fmt: skip
    for row in rows:
        book.active.append(row)
    if merged:
        book.active.merge_cells(merged)
    path = tmp_path / "表.xlsx"
    book.save(path)

    def read():
        with read_table(path, filename=path.name) as table:
            numbers = pq.read_table(table.rows_path)["_row"].to_pylist()
            return table.names, rows_of(table), numbers, table.notes

    quick = read()
    monkeypatch.setattr(quick_workbook, "_texts", _give_up)
    assert quick == read()


def _give_up(*_arguments):
    raise NotPlain
