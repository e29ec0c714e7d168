"""What agencies really publish: each file opens right, says what is odd in it, or says why not."""

from __future__ import annotations

import datetime as dt
import json
import struct
import zipfile
from decimal import Decimal

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from portal.tables.reader import read_table
from tests.portal.tables.test_reader import defect, rows_of


@pytest.fixture
def write(tmp_path):
    def write_one(name, data):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return write_one


def rows_in(info, storage):
    """Return the typed rows of a stored table."""
    path = storage.local_path(info.parquet_sha256)
    return duckdb.read_parquet(path).project("* EXCLUDE _id").fetchall()


def kinds(table):
    return [(note.row, note.kind) for note in table.notes.listed]


@pytest.mark.parametrize(
    ("text", "encoding", "codec"),
    [
        ("姓名,单位\n王䶮,吉林省𬭎鑫公司\n李㛃,长春市𠮷田社\n", "gb18030", "gb18030"),
        ("街道,名稱\n觀塘道,啟德邨嘅鰂魚涌\n深水埗,石硤尾邨喺度\n", "big5hkscs", "big5hkscs"),
        ("姓名,单位\n䶮䶮鱻,龘靐\n龘靐齉,㛃㛃\n", "utf-16-le", "utf-16-le"),
        ("姓名,单位\n䶮䶮鱻,龘靐\n龘靐齉,㛃㛃\n", "utf-16-be", "utf-16-be"),
        ("id,v\n" + "1,2\n" * 80_000 + "3,长春市朝阳区\n", "gbk", "gb18030"),
    ],
    ids=["gb18030", "hkscs", "utf16-le", "utf16-be", "late"],
)
def test_rare_characters_are_read(write, text, encoding, codec):
    path = write("表.csv", text.encode(encoding))
    with read_table(path, filename=path.name) as table:
        assert table.encoding == codec
        assert list(rows_of(table)[-1]) == text.splitlines()[-1].split(",")


def test_what_is_broken_before_it_comes_is_listed(write, build):
    text = "机构,信用代码\n锟斤拷,9.12201E+17\n坏\ufffd字,1.23E+17\n好,912201010000000001\n"
    info = build(write("码.csv", text))
    assert [(note.row, note.kind) for note in info.notes] == [
        (2, "mojibake"), (2, "scientific"), (3, "mojibake"), (3, "scientific"),
    ]  # fmt: skip
    assert info.dropped_row_count == 0


def test_a_row_of_units_belongs_to_the_names(write):
    text = (
        "地区,人口,面积,比重\n,万人,平方公里,%\n长春市,906.5,20604,38.2\n吉林市,362.3,27711,15.2\n"
    )
    path = write("单位.csv", text)
    with read_table(path, filename=path.name) as table:
        assert table.names == ["地区", "人口（万人）", "面积（平方公里）", "比重（%）"]
        assert (table.header_rows, table.row_count) == ((1, 2), 2)


def test_days_of_a_month_are_names(write):
    days = [str(day) for day in range(1, 32)]
    row = ",".join(["站", "长春", "朝阳", *["7"] * 31])
    path = write("日.csv", ",".join(["站点", "城市", "区县", *days]) + f"\n{row}\n{row}\n")
    with read_table(path, filename=path.name) as table:
        assert table.names[3:] == days


STACKED = (
    "表一,,\n地区,人口,面积\n长春,906,20604\n吉林,362,27711\n,,\n表二,,\n"
    "企业名称,注册号,备注\n甲公司,2201,无\n"
)


@pytest.mark.parametrize("end", ["\n", '\n"乙""",2202,无\n'], ids=["quick", "careful"])
def test_a_second_table_below_is_said(write, end):
    path = write("两张.csv", STACKED.rstrip("\n") + end)
    with read_table(path, filename=path.name) as table:
        assert kinds(table) == [(1, "title"), (7, "second_header")]
        assert table.row_count >= 5


def test_blank_rows_in_one_table_make_no_second_one(write):
    path = write("空行.csv", "地区,人口\n长春,906\n\n吉林,362\n\n\n四平,—\n")
    with read_table(path, filename=path.name) as table:
        assert kinds(table) == []
        assert table.notes.counts == {"blank": 3}


def test_totals_and_signatures_by_their_many_names(write):
    text = (
        "市,县,人口\n长春市,朝阳区,10\n长春市小计,,30\n吉林市 合计：,,5\n,总  计,35\n"
        "会计,统计,4\n制表人：张三,,审核人：李四\n"
    )
    path = write("合计.csv", text)
    with read_table(path, filename=path.name) as table:
        assert kinds(table) == [(3, "total"), (4, "total"), (5, "total"), (7, "footnote")]


def test_full_width_digits_and_serial_days_are_values(write, build, storage):
    text = (
        "地区,人口,日期,登记日期,差,占比\n长春,９０６．５４,２０２４-０３-０５,45356,-1,12.5%\n"
        "吉林,362.37,2024年3月6日,45357,－2,7%\n"
    )
    info = build(write("全角.csv", text))
    assert rows_in(info, storage) == [
        ("长春", Decimal("906.54"), dt.date(2024, 3, 5), dt.date(2024, 3, 5), -1, "12.5%"),
        ("吉林", Decimal("362.37"), dt.date(2024, 3, 6), dt.date(2024, 3, 6), -2, "7%"),
    ]
    assert [(n.row, n.kind, n.text) for n in info.notes] == [(1, "serial_date", "登记日期")]


def test_codes_kept_from_excel_by_a_formula_are_bare(write):
    path = write("码.csv", '编号,名称\n="001",甲\n="002","乙,丙"\n')
    with read_table(path, filename=path.name) as table:
        assert rows_of(table) == [("001", "甲"), ("002", "乙,丙")]


def test_single_nul_bytes_are_taken_out_and_said(write):
    path = write("空字节.csv", b"a,b\n1\0,2\n" + b"3,4\n" * 600 + b"\0\0")
    with read_table(path, filename=path.name) as table:
        assert rows_of(table)[0] == ("1", "2")
        assert kinds(table) == [(2, "nul"), (603, "nul")]
        assert table.row_count == 601


def test_marks_of_hive_separate(write):
    path = write("表.txt", "甲\x01乙\n1\x012\n3\x014\n")
    with read_table(path, filename=path.name) as table:
        assert rows_of(table) == [("1", "2"), ("3", "4")]


@pytest.fixture
def book(tmp_path):
    def make(fill, name="表.xlsx"):
        workbook = openpyxl.Workbook()
        fill(workbook)
        workbook.save(tmp_path / name)
        return tmp_path / name

    return make


def test_a_table_that_begins_aside_keeps_its_merged_cells(book):
    def fill(workbook):
        sheet = workbook.active
        for place, text in {
            "B4": "地区",
            "C4": "人口",
            "C5": "男",
            "D5": "女",
            "B6": "长春",
        }.items():
            sheet[place] = text
        for cells in ("B4:B5", "C4:D4", "B6:B7"):
            sheet.merge_cells(cells)
        for row in (6, 7):
            sheet.cell(row, 3, row), sheet.cell(row, 4, row * 2)

    path = book(fill)
    with read_table(path, filename=path.name) as table:
        assert table.names == ["地区", "人口/男", "人口/女"]
        assert rows_of(table) == [("长春", "6", "12"), ("长春", "7", "14")]


def test_the_first_sheet_with_a_table_is_read(book):
    def fill(workbook):
        workbook.active.append(["填表说明：每行一个站点"])
        for row in (["编号", "值"], ["001", 1]):
            sheet = (
                workbook["站点"] if "站点" in workbook.sheetnames else workbook.create_sheet("站点")
            )
            sheet.append(row)

    path = book(fill)
    with read_table(path, filename=path.name) as table:
        assert (table.sheet, rows_of(table)) == ("站点", [("001", "1")])


def test_hidden_sheets_are_not_opened(book):
    def fill(workbook):
        hidden = workbook.create_sheet("隐藏")
        hidden.append(["密", "码"])
        hidden.sheet_state = "hidden"

    assert defect(book(fill)).code == "hidden_sheets"


def test_formulas_without_a_value_and_errors_are_said(book):
    def fill(workbook):
        for row in (["名称", "合计", "率"], ["甲", "=SUM(1,2)", "#N/A"], ["乙", "=1+1", "0"]):
            workbook.active.append(row)

    path = book(fill)
    with read_table(path, filename=path.name) as table:
        noted = {note.kind: note.text for note in table.notes.listed}
        assert noted == {"formula_blank": "2 个单元格", "error_cell": "1 个单元格"}


def test_chinese_of_excel_95_is_refused_and_never_garbled(write):
    assert defect(write("旧.xls", _excel_95("地区", "长春市"))).code == "old_workbook"


def _excel_95(*texts):
    """A compound file with the stream `Book` (BIFF5, code page 936): one text a row."""

    def record(kind, data=b""):
        return struct.pack("<HH", kind, len(data)) + data

    start = struct.pack("<HH", 0x0DBB, 0x07CC)
    sheet = record(0x0809, struct.pack("<HH", 0x0500, 0x10) + start)
    for row, text in enumerate(texts):
        raw = text.encode("gbk")
        sheet += record(0x0204, struct.pack("<HHHH", row, 0, 0, len(raw)) + raw)
    front = record(0x0809, struct.pack("<HH", 0x0500, 5) + start) + record(0x42, b"\xa8\x03")
    names = struct.pack("<IHB", len(front) + 17, 0, 2) + b"S1"
    stream = (front + record(0x85, names) + record(0x0A) + sheet + record(0x0A)).ljust(4608, b"\0")
    sectors = len(stream) // 512
    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16
        + struct.pack("<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, 2**32 - 2, 0, 2**32 - 2, 0, 0)
    )  # fmt: skip
    header = (header + b"\xff" * 436)[:512]
    chain = [2**32 - 3, 2**32 - 2, *range(3, sectors + 2), 2**32 - 2]
    table = struct.pack(f"<{len(chain)}I", *chain).ljust(512, b"\xff")

    def entry(name, kind, child, first, size):
        raw = name.encode("utf-16-le")
        links = struct.pack("<HBBIII", len(raw) + 2, kind, 1, 2**32 - 1, 2**32 - 1, child)
        return raw.ljust(64, b"\0") + links + b"\0" * 36 + struct.pack("<IQ", first, size)

    folder = entry("Root Entry", 5, 1, 2**32 - 2, 0) + entry("Book", 2, 2**32 - 1, 2, len(stream))
    return header + table + folder.ljust(512, b"\0") + stream


def test_a_read_me_is_not_taken_for_the_table(tmp_path):
    path = tmp_path / "包.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {
            "README.txt": "请看",
            "a说明.csv": "x\n1\n",
            "b.csv": "a,b\n1,2\n",
        }.items():
            archive.writestr(name, text)
        archive.writestr("~$c.xlsx", b"x")
    with read_table(path, filename=path.name) as table:
        assert (table.sheet, table.sheets) == ("b.csv", ["b.csv", "README.txt", "a说明.csv"])


@pytest.mark.parametrize(
    ("text", "words"),
    [("42", "42"), ('"hello"', "hello"), ("null\n", "null"), ("[1,2,3]", "数组"),
     ('callback([{"a":1}]);', "不是 JSON"), ('{"type":"Topology","arcs":[[[1,2],[3,4]]]}', "GeoJSON"),
     ('[{"a":' + "[" * 900 + "]" * 900 + "}]", "嵌套")],
    ids=["number", "text", "null", "scalars", "jsonp", "topojson", "deep"],
)  # fmt: skip
def test_json_that_is_no_table_is_refused_with_a_reason(write, text, words):
    assert words in defect(write("数据.json", text)).text()


@pytest.mark.parametrize(
    "text",
    [
        '{"columns":["站","值"],"data":[["甲",1],["乙",2.50]]}',
        '{"fields":[{"id":"站"},{"id":"值"}],"records":[["甲",1],["乙",2.50]]}',
        '[["站","值"],["甲",1],["乙",2.50]]',
    ],
)
def test_names_beside_the_rows_are_found(write, text):
    path = write("数据.json", text)
    with read_table(path, filename=path.name) as table:
        assert table.names == ["站", "值"]
        assert rows_of(table) == [("甲", "1"), ("乙", "2.50")]


def test_json_keeps_numbers_in_lists_and_loses_halves_of_characters(write):
    path = write("数据.json", '[{"列":[1,2.50,"x"],"字":"\\ud83d 半"},{"列":null,"字":"\\u0000"}]')
    with read_table(path, filename=path.name) as table:
        assert rows_of(table) == [('[1,2.50,"x"]', "\ufffd 半"), (None, "\ufffd")]


def test_lines_of_json_may_be_long(write):
    lines = [json.dumps({"名": n, "文": "长" * 100_000}, ensure_ascii=False) for n in range(3)]
    path = write("数据.ndjson", "\n".join(lines))
    with read_table(path, filename=path.name) as table:
        assert [row[0] for row in rows_of(table)] == ["0", "1", "2"]


def test_features_of_every_kind_are_read(write):
    point = {"type": "Point", "coordinates": [125.30, 43.9]}
    many = {"type": "GeometryCollection", "geometries": [point]}
    features = [
        {"type": "Feature", "properties": {"名": "点"}, "geometry": point},
        {"type": "Feature", "properties": None, "geometry": None},
        {"type": "Feature", "properties": {"名": "集"}, "geometry": many},
    ]
    path = write("图.geojson", json.dumps({"type": "FeatureCollection", "features": features}))
    with read_table(path, filename=path.name) as table:
        assert [row[0] for row in rows_of(table)] == ["点", "集"]
        assert kinds(table) == [(2, "bad_record")]
    path = write("线.geojson", '{"type":"LineString","coordinates":[[125,43],[126,44.50]]}')
    with read_table(path, filename=path.name) as table:
        assert rows_of(table) == [('{"type":"LineString","coordinates":[[125,43],[126,44.50]]}',)]


def test_parquet_of_every_kind_is_read(tmp_path, build, storage):
    path = tmp_path / "表.parquet"
    columns = {
        "字节": pa.array(["长春".encode(), b"\xff\x00"], pa.binary()),
        "时区": pa.array([1_709_596_800_000_000, None], pa.timestamp("us", "Asia/Shanghai")),
        "浮点": [1e-7, float("nan")],
        "时": pa.array([dt.time(8, 5), None]),
        "空": pa.nulls(2),
        "nul": ["a\0b", "c"],
    }
    pq.write_table(pa.table(columns), path)
    first, second = rows_in(build(path), storage)
    assert first == (
        "长春",
        dt.datetime(2024, 3, 5, 8),
        Decimal("0.0000001"),
        "08:05:00",
        None,
        "a\ufffdb",
    )
    assert second == ("ff00", None, None, None, None, "c")


def test_too_many_columns_are_refused(write):
    names = ",".join(f"c{number}" for number in range(16_384))
    assert defect(write("宽.csv", f"{names}\n{names}\n")).code == "too_many_columns"


def test_a_cell_of_a_million_characters_is_read(write):
    path = write("长.csv", "名,文\n甲," + "长" * 1_000_000 + "\n乙,短\n")
    with read_table(path, filename=path.name) as table:
        assert len(rows_of(table)[0][1]) == 1_000_000
