from __future__ import annotations

import json

import duckdb
import pytest

from portal.errors import Invalid
from portal.tables.info import TableInfo


def stored_rows(storage, info):
    path = storage.local_path(info.parquet_sha256)
    return duckdb.connect().execute(f"SELECT * FROM read_parquet('{path}') ORDER BY _id").fetchall()


def test_a_chinese_file_becomes_typed_columns(build, files, storage):
    info = build(files / "hospitals_gb18030.csv")
    assert info.encoding == "gb18030"
    types = {column.name: column.type.value for column in info.columns}
    assert types == {
        "编号": "text", "医院名称": "text", "行政区划代码": "text", "电话": "text", "邮编": "text",
        "床位数": "integer", "开业日期": "date", "日均费用": "number",
    }  # fmt: skip
    beds = info.column("chuang_wei_shu")
    assert (beds.blank_count, beds.blank_marks, beds.minimum, beds.maximum) == (
        1,
        ("-",),
        "350",
        "1200",
    )
    cost = info.column("ri_jun_fei_yong")
    assert (cost.sql_type, cost.decimal_places, cost.maximum) == ("DECIMAL(6,2)", 2, "1234.50")
    name = info.column("yi_yuan_ming_cheng")
    assert (name.distinct_count, name.distinct_exact, name.max_length) == (3, True, 9)
    rows = stored_rows(storage, info)
    assert [row[0] for row in rows] == [1, 2, 3]
    assert rows[2][1:3] == ("0003", "㮾梨镇卫生院")


def test_headings_between_rows_are_listed_and_left_out(build, files):
    info = build(files / "schools.xlsx")
    assert info.row_count == 3
    assert info.columns[0].type == "integer"
    groups = [(note.row, note.text) for note in info.notes if note.kind == "group"]
    assert groups == [(4, "甲市（2所）"), (7, "乙市（1所）")]
    assert info.dropped_row_count == 4
    assert info.column("zheng_jian_hao").maximum == "22010219900101001X"
    assert info.column("geng_xin_shi_jian").type == "datetime"


def test_a_heading_beside_other_text_stays_a_row(build):
    info = build("名称,数量,单位\n甲,1,个\n其他,,\n乙,2,个\n")
    assert info.row_count == 3
    assert "group" not in info.note_counts


def test_the_order_of_the_file_is_kept(build, storage):
    info = build("序号,名称\n" + "".join(f"{n * 7919 % 100_003},x{n}\n" for n in range(60_000)))
    rows = stored_rows(storage, info)
    assert [row[2] for row in rows] == [f"x{n}" for n in range(60_000)]
    assert [row[0] for row in rows] == list(range(1, 60_001))


def test_spaces_around_values_go_and_inner_ones_stay(build, storage):
    info = build("名称,数量\n\u3000甲 乙\u00a0 ,\t12 \n 丙, 7\n")
    assert stored_rows(storage, info) == [(1, "甲 乙", 12), (2, "丙", 7)]


def test_the_same_file_gives_the_same_object(build, files):
    first, second = build(files / "totals.csv"), build(files / "totals.csv")
    assert first == second


def test_unnamed_empty_columns_go_and_named_ones_stay(build):
    info = build("名称,备注,,\n甲,,,\n乙,,,\n")
    assert [column.name for column in info.columns] == ["名称", "备注"]
    assert info.columns[1].blank_count == 2


def test_given_field_names_are_used_and_checked(build):
    text = "名称,数量,xm\n甲,1,2\n"
    info = build(text, names={"名称": "xm", "数量": "amount"})
    assert [column.field_name for column in info.columns] == ["xm", "amount", "xm_2"]
    for wrong in ({"名称": "1x"}, {"名称": "A"}, {"名称": "same", "数量": "same"}, {"名称": 'a"b'}):
        with pytest.raises(Invalid) as caught:
            build(text, names=wrong)
        assert caught.value.defects[0].code == "field_name_invalid"


def test_keys_are_columns_without_blank_or_repetition(build):
    info = build("代码,名称,类\n01,甲,x\n02,乙,x\n03,,x\n")
    assert info.key_fields == ("dai_ma",)


@pytest.mark.slow
def test_keys_of_large_tables_are_counted_exactly(build):
    lines = [f"{n},{n if n else 1},{n % 3}\n" for n in range(200_100)]
    info = build("编号,编码,组\n" + "".join(lines))
    assert info.key_fields == ("bian_hao",)
    assert not info.columns[0].distinct_exact


def test_info_goes_to_json_and_back(build, files):
    info = build(files / "totals.csv")
    assert TableInfo.from_dict(json.loads(json.dumps(info.as_dict()))) == info
    with pytest.raises(KeyError):
        info.column("none")


def test_wide_tables_are_typed_in_parts(build):
    names = ",".join(f"列名{n}" for n in range(130))
    info = build(f"{names}\n" + ",".join(str(n) for n in range(130)) + "\n")
    assert len(info.columns) == 130
    assert [column.minimum for column in info.columns] == [str(n) for n in range(130)]
