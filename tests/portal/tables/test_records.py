"""JSON, NDJSON, GeoJSON, Parquet and archives become the same kind of table as any CSV."""

from __future__ import annotations

import json
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from portal.errors import Invalid
from portal.tables.limits import ReadLimits
from portal.tables.reader import read_table
from tests.portal.tables.test_reader import defect, rows_of


def read_text(tmp_path, text, filename="data.json", **options):
    path = tmp_path / filename
    path.write_text(text, encoding="utf-8")
    return read_table(path, filename=filename, **options)


def test_records_keep_their_numbers_as_written(tmp_path):
    text = (
        '[{"代码":"0012","值":1.10,"数":12345678901234567890},{"代码":"0013","新":true,"值":null}]'
    )
    with read_text(tmp_path, text) as table:
        assert table.names == ["代码", "值", "数", "新"]
        assert rows_of(table) == [
            ("0012", "1.10", "12345678901234567890", None), ("0013", None, None, "true"),
        ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        '{"code":200,"data":{"total":2,"rows":[{"a":1,"b":{"c":"x"}},{"a":2,"b":{"c":"y"}}]}}',
        '{"a":1,"b":{"c":"x"}}\n{"a":2,"b":{"c":"y"}}\n',
        '[["a","b.c"],[1,"x"],[2,"y"]]',
    ],
)
def test_records_are_found_where_they_are(tmp_path, text):
    with read_text(tmp_path, text) as table:
        assert table.names == ["a", "b.c"]
        assert rows_of(table) == [("1", "x"), ("2", "y")]


def test_a_broken_line_of_ndjson_is_listed(tmp_path):
    text = '{"a":1}\n{"a":2}\n{"a":\n{"a":4}'
    with read_text(tmp_path, text, "data.ndjson") as table:
        assert rows_of(table) == [("1",), ("2",), ("4",)]
        assert [(note.row, note.kind, note.kept) for note in table.notes.listed] == [
            (3, "bad_record", False)
        ]


def test_json_without_records_and_broken_json_are_refused_with_a_reason(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{"版本": "1.0"}', encoding="utf-8")
    assert defect(path).code == "no_records"
    path.write_text('[{"a":1},\n{"a":2,,}]', encoding="utf-8")
    found = defect(path)
    assert (found.code, found.field) == ("bad_json", "第 2 行")
    path.write_text("[" * 100_000, encoding="utf-8")
    assert defect(path).code in ("bad_json", "no_records")


def test_a_csv_that_begins_with_a_brace_is_still_a_csv(tmp_path):
    with read_text(tmp_path, "[编号],名称\n1,甲\n", "x.csv") as table:
        assert table.names == ["[编号]", "名称"]


def test_geojson_gives_places_geometry_and_its_coordinate_system(tmp_path):
    collection = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}},
        "features": [
            {"type": "Feature", "properties": {"名称": "甲"},
             "geometry": {"type": "Point", "coordinates": [125.32, 43.9]}},
            {"type": "Feature", "properties": {"名称": "乙"},
             "geometry": {"type": "Polygon", "coordinates": [[[125.0, 43.0], [126.0, 43.0], [125.0, 43.0]]]}},
        ],
    }  # fmt: skip
    with read_text(tmp_path, json.dumps(collection), "图.geojson") as table:
        assert table.names == ["名称", "经度", "纬度", "geometry"]
        assert table.coordinates == "cgcs2000"
        first, second = rows_of(table)
    assert first[:3] == ("甲", "125.32", "43.9")
    assert json.loads(second[3]) == collection["features"][1]["geometry"]


def test_parquet_is_read_and_typed_like_any_file(tmp_path, build):
    path = tmp_path / "x.parquet"
    pq.write_table(
        pa.table(
            {
                "名称": ["甲", None],
                "码": pa.array([220102199001010011, 220102199001010012]),
                "值": pa.array([1.5, 0.25]),
                "时": pa.array([1_700_000_000_000_000, None], pa.timestamp("us")),
                "列": [["a"], []],
            }
        ),
        path,
    )
    info = build(path)
    assert [c.type.value for c in info.columns] == ["text", "text", "number", "datetime", "text"]
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(path.read_bytes()[:-20] + b"x" * 20)
    assert defect(broken).code == "parquet_unreadable"


def packed(tmp_path, members, name="数据.zip"):
    path = tmp_path / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path


def test_an_archive_gives_its_tables(tmp_path):
    path = packed(tmp_path, {"说明.pdf": b"%PDF", "b.csv": "甲\n2\n", "a/一.csv": "乙\n1\n"})
    with read_table(path, filename=path.name) as table:
        assert (table.sheet, table.sheets, table.names) == (
            "a/一.csv",
            ["a/一.csv", "b.csv"],
            ["乙"],
        )
    with read_table(path, filename=path.name, sheet="b.csv") as table:
        assert table.names == ["甲"]
    assert defect(path, sheet="c.csv").code == "sheet_missing"


def test_names_of_members_in_gbk_are_read(tmp_path):
    path = packed(tmp_path, {"表格.csv": "甲\n2\n"})
    raw = path.read_bytes().replace("表格.csv".encode(), "表格a".encode("gb18030") + b"x.csv")
    raw = raw.replace(b"\x00\x08", b"\x00\x00")  # the flag of UTF-8 names
    path.write_bytes(raw)
    with read_table(path, filename=path.name) as table:
        assert table.sheet == "表格ax.csv"


def test_bombs_and_empty_archives_are_refused(tmp_path):
    assert defect(packed(tmp_path, {"a.pdf": b"x"})).code == "no_table_in_archive"
    bomb = packed(tmp_path, {"a.csv": b"0" * 20_000_000}, "bomb.zip")
    small = ReadLimits(archive_ratio=100)
    with pytest.raises(Invalid) as caught:
        read_table(bomb, filename="bomb.zip", limits=small)
    assert caught.value.defects[0].code == "archive_bomb"
    whole = bomb.read_bytes()
    broken = tmp_path / "half.zip"
    broken.write_bytes(whole[: len(whole) // 2])
    assert defect(broken).code == "archive_unreadable"
