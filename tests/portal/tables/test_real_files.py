"""Real files from outside the repository; extra, skipped where they are absent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from portal.errors import Invalid
from portal.tables.places import find_places
from portal.tables.reader import read_table
from tests.portal.tables.test_reader import rows_of

DATA = Path(__file__).parents[4] / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no folder of real files")


def test_hospitals_in_gb2312(build):
    info = build(DATA / "cn-csv-hospitals-gb2312" / "hospital site.csv")
    assert (info.encoding, info.row_count) == ("gb18030", 126)
    types = {column.name: column.type.value for column in info.columns}
    assert [types[name] for name in ("编号", "邮编", "电话", "X")] == ["text"] * 3 + ["number"]


def test_universities_with_titles_and_headings(build):
    info = build(DATA / "cn-xls-university-list-2017" / "data" / "全国普通高等学校名单.xls")
    assert info.row_count == 2631
    assert info.note_counts == {"title": 2, "group": 31}
    assert info.column("xu_hao").maximum == "2631"
    assert info.column("xue_xiao_biao_shi_ma").type == "text"


def test_divisions_stay_text(build):
    info = build(DATA / "cn-divisions-modood" / "dist" / "streets.csv")
    assert {column.type.value for column in info.columns} == {"text"}
    assert info.key_fields == ("code",)


def test_air_quality_without_a_header(build):
    info = build(DATA / "cn-air-quality-daily-jilin" / "data" / "长春.csv")
    assert (info.row_count, info.header_rows, info.note_counts) == (1157, (), {"no_header": 1})
    assert [column.type.value for column in info.columns[:6]] == [
        "text", "date", "integer", "text", "text", "number",
    ]  # fmt: skip


SPECTRUM = DATA / "csv-spectrum"


UNLIKE_THEIR_JSON = ("location_coordinates", "newlines_crlf")  # another number, other line ends


@pytest.mark.parametrize(
    "name",
    [p.stem for p in sorted(SPECTRUM.glob("csvs/*.csv")) if p.stem not in UNLIKE_THEIR_JSON],
)
def test_the_torture_files_give_what_they_must(name):
    expected = json.loads((SPECTRUM / "json" / f"{name}.json").read_text("utf-8"))
    records = expected if isinstance(expected, list) else [expected]
    with read_table(SPECTRUM / "csvs" / f"{name}.csv", filename=f"{name}.csv") as table:
        assert not table.notes.counts
        assert table.names == list(records[0])
        rows = [dict(zip(table.names, row, strict=True)) for row in rows_of(table)]
    assert rows == [{key: value.strip() for key, value in one.items()} for one in records]


def test_shapes_of_the_province(build):
    info = build(DATA / "geojson-jilin-a" / "geometryProvince" / "22.json")
    assert [column.name for column in info.columns] == ["id", "name", "cp", "childNum", "geometry"]
    assert (info.row_count, info.coordinates) == (9, "wgs84")
    assert find_places(info).kind == "shapes"


FOLDERS = (
    "cn-csv-bus-kunming-a", "csv-spectrum", "tabular-frictionless-a", "tabular-messytables-a",
    "tw-open-lists-a", "geojson-jilin-a", "cn-xlsx-county-yearbook-2008-a",
    "dcat-italy-alessandria-brescia", "csv-catalogue-americorps", "cn-divisions-modood",
)  # fmt: skip
# What cannot be read, and why; all else opens.
REFUSED = {
    "latin1.csv": "encoding_unclear",
    "table-infer-iso-8859-7.csv": "encoding_unclear",
    "table-with-accents.csv": "encoding_unclear",
    "merged-cells.xlsx": "no_rows",
    "merged-cells.xls": "no_rows",
    "merged-cells-boolean.xls": "no_rows",
    "libreoffice.xlsx": "no_rows",
    "long.csv": "no_rows",
    "small.csv": "no_rows",
    "utf8bom.csv": "no_rows",
    "unicode_sheet_name.xls": "no_rows",
    "simple.unknown": "empty_file",
    "辽宁省.xlsx": "several_tables",
    "黑龙江省.xlsx": "several_tables",
}
SKIPPED = (".md", ".rdf", ".ttl", ".xml")


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_opens_or_is_refused_with_a_reason(build, folder):
    for path in sorted((DATA / folder).rglob("*")):
        if not path.is_file() or path.suffix in SKIPPED:
            continue
        if path.name in REFUSED:
            with pytest.raises(Invalid) as caught:
                read_table(path, filename=path.name)
            assert caught.value.defects[0].code == REFUSED[path.name], path
            continue
        with read_table(path, filename=path.name) as table:
            assert table.row_count, path
            assert not any("\ufffd" in name for name in table.names), path


@pytest.mark.parametrize(
    ("name", "encoding", "expected"),
    [("latin1.csv", "windows-1252", "©"), ("table-infer-iso-8859-7.csv", "iso-8859-7", "σ")],
)
def test_an_encoding_that_a_person_names_is_used(name, encoding, expected):
    path = DATA / "tabular-frictionless-a" / "data" / name
    with read_table(path, filename=name, encoding=encoding) as table:
        assert expected in str(rows_of(table))


def test_every_national_table_is_read(build):
    paths = sorted((DATA / "cn-csv-national-statistics-a").rglob("*.csv"))
    for path in paths[::10]:
        info = build(path)
        assert info.row_count > 0
        assert info.columns[0].type == "text"


def test_big5_sights(build):
    info = build(DATA / "tabular-messytables-a" / "horror" / "characters.csv")
    assert info.encoding == "big5hkscs"
    assert info.column("jing_dian_bian_hao").type == "text"
