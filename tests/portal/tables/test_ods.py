"""OpenDocument spreadsheets: read like workbooks, and no larger than they may be."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from portal.errors import Invalid
from portal.tables.limits import ReadLimits
from portal.tables.ods_guard import MIMETYPE
from portal.tables.reader import read_table

NAMES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.3"'
)
MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">{}'
    "</manifest:manifest>"
)


def text(value: str, repeats: int = 1) -> str:
    return (
        f'<table:table-cell office:value-type="string" table:number-columns-repeated="{repeats}">'
        f"<text:p>{value}</text:p></table:table-cell>"
    )


def number(value: str) -> str:
    return (
        f'<table:table-cell office:value-type="float" office:value="{value}">'
        f"<text:p>{value}</text:p></table:table-cell>"
    )


def day(value: str) -> str:
    return (
        f'<table:table-cell office:value-type="date" office:date-value="{value}">'
        f"<text:p>{value}</text:p></table:table-cell>"
    )


def row(*cells: str, repeats: int = 1) -> str:
    filler = '<table:table-cell table:number-columns-repeated="1020"/>'
    return (
        f'<table:table-row table:number-rows-repeated="{repeats}">{"".join(cells)}{filler}'
        "</table:table-row>"
    )


EMPTY = row(repeats=1_048_000)
ROWS = (
    row(text("站点编码"), text("站点名称"), text("日客流量"), text("启用日期"))
    + row(text("000123"), text("人民广场"), number("590"), day("2024-05-06"))
    + row(text("000124"), text("火车站"), number("612.5"), day("2024-05-07"))
)


def ods(
    path: Path, *sheets: str, before: str = "", manifest: str = "", names: str = "名单 说明"
) -> Path:
    tables = "".join(
        f'<table:table table:name="{name}">{rows}</table:table>'
        for name, rows in zip(names.split(), sheets, strict=False)
    )
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<office:document-content {NAMES}>'
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", MIMETYPE, zipfile.ZIP_STORED)
        archive.writestr("content.xml", body)
        archive.writestr("META-INF/manifest.xml", MANIFEST.format(manifest))
    return path


def refused(path: Path, limits: ReadLimits | None = None) -> str:
    with pytest.raises(Invalid) as caught:
        read_table(path, filename=path.name, limits=limits or ReadLimits())
    return caught.value.defects[0].code


def test_a_sheet_is_read_and_what_fills_it_up_is_not(tmp_path: Path) -> None:
    path = ods(tmp_path / "站点.ods", ROWS + EMPTY, row(text("项"), text("值")))
    with read_table(path, filename=path.name) as table:
        assert (table.sheet, table.sheets) == ("名单", ["名单", "说明"])
        assert table.names == ["站点编码", "站点名称", "日客流量", "启用日期"]
        data = pq.read_table(table.rows_path).to_pydict()
    assert data["c0"] == ["000123", "000124"]
    assert data["c2"] == ["590", "612.5"]
    assert data["c3"] == ["2024-05-06", "2024-05-07"]
    assert data["_row"] == [2, 3]


def test_repeated_cells_count_as_many(tmp_path: Path) -> None:
    wide = ods(tmp_path / "宽.ods", row(text("甲", repeats=16_000), repeats=1000))
    assert refused(wide) == "too_large"
    far = ods(tmp_path / "远.ods", row(text("甲", repeats=900)) + EMPTY + row(text("乙")))
    assert refused(far) == "workbook_area"
    few = ReadLimits(workbook_cells=10)
    assert refused(ods(tmp_path / "多.ods", ROWS), few) == "too_large"


def test_what_is_declared_locked_or_broken_is_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    assert refused(ods(tmp_path / "实体.ods", ROWS, before=bomb)) == "workbook_entities"
    locked = "<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>"
    assert refused(ods(tmp_path / "密码.ods", ROWS, manifest=locked)) == "encrypted"
    assert refused(ods(tmp_path / "坏.ods", "<unclosed>")) == "workbook_unreadable"
    torn = tmp_path / "断.ods"
    torn.write_bytes(ods(tmp_path / "整.ods", ROWS).read_bytes()[:300])
    assert refused(torn) == "workbook_unreadable"
