"""Information items from database columns and from data files."""

from __future__ import annotations

import json

import pytest

from portal.errors import Invalid
from portal.rules.database_columns import data_type_of, field_name_of
from portal.rules.entry_content import InformationItem
from portal.rules.metadata_profile import JL_1, defects
from portal.services.codes_known import known_codes
from portal.services.item_import import merge_items, read_items
from tests.factories import content

POSTGRESQL = """table_name,column_name,ordinal_position,data_type,character_maximum_length,numeric_precision,numeric_scale,is_nullable
stop,StopCode,2,character varying,20,,,NO
stop,id,1,bigint,,64,0,NO
stop,opened,3,timestamp with time zone,,,,YES
stop,fare,4,numeric,,10,2,YES
line,id,1,integer,,32,0,NO
"""
MYSQL = [
    {"TABLE_NAME": "hospital", "COLUMN_NAME": "org_name", "COLUMN_TYPE": "varchar(100)",
     "IS_NULLABLE": "NO", "COLUMN_KEY": "", "COLUMN_COMMENT": "机构名称"},
    {"TABLE_NAME": "hospital", "COLUMN_NAME": "id", "COLUMN_TYPE": "int(11) unsigned",
     "IS_NULLABLE": "NO", "COLUMN_KEY": "PRI", "COLUMN_COMMENT": None},
    {"TABLE_NAME": "hospital", "COLUMN_NAME": "memo", "COLUMN_TYPE": "longtext",
     "IS_NULLABLE": "YES", "COLUMN_KEY": "", "COLUMN_COMMENT": "备注"},
]  # fmt: skip


def test_an_export_of_postgresql() -> None:
    found = read_items(POSTGRESQL.encode(), "columns.csv")
    assert (found.kind, found.tables, found.table) == ("columns", ("stop", "line"), "stop")
    identifier, code, opened, fare = found.items
    assert (identifier.field_name, identifier.data_type, identifier.nullable) == (
        "id",
        "integer",
        False,
    )
    assert (code.field_name, code.data_type, code.length) == ("stopcode", "string", 20)
    assert opened.data_type == "datetime"
    assert (fare.data_type, fare.length, fare.precision, fare.nullable) == ("number", 10, 2, True)
    assert [i.field_name for i in read_items(POSTGRESQL.encode(), "x", table="line").items] == [
        "id"
    ]
    with pytest.raises(Invalid, match="提交的内容有误"):
        read_items(POSTGRESQL.encode(), "x", table="none")


def test_an_export_of_mysql_as_json_keeps_comments_and_keys() -> None:
    found = read_items(json.dumps({"rows": MYSQL}).encode(), "columns.json")
    name, identifier, memo = found.items
    assert (name.name, name.field_name, name.length) == ("机构名称", "org_name", 100)
    assert (identifier.primary_key, identifier.data_type, identifier.name) == (
        True,
        "integer",
        "id",
    )
    assert memo.data_type == "text"


def test_a_file_of_data_tells_its_columns() -> None:
    data = "站点编码,站点名称,日客流量,开通日期\nA1,人民广场,1200,2020-01-02\nA2,,900,2021-03-04\n"
    found = read_items(data.encode(), "站点.csv")
    assert found.kind == "data"
    assert [i.name for i in found.items] == ["站点编码", "站点名称", "日客流量", "开通日期"]
    assert [i.data_type for i in found.items] == ["string", "string", "integer", "date"]
    assert [i.nullable for i in found.items] == [False, True, False, False]
    assert found.items[0].primary_key


@pytest.mark.parametrize("source", [POSTGRESQL.encode(), json.dumps(MYSQL).encode()])
def test_what_is_found_keeps_the_rules(source: bytes) -> None:
    found = read_items(source, "columns")
    assert defects(content(items=found.items), JL_1, known_codes()) == []


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\x00\x01\x02", b"[1, 2]"])
def test_what_tells_no_columns_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        read_items(data, "x.json")


def test_names_that_stand_twice_are_told_apart() -> None:
    data = b"column_name,data_type\nName,text\nname,text\nNAME,text\n"
    fields = [item.field_name for item in read_items(data, "x.csv").items]
    assert fields == ["name", "name_2", "name_3"]


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("VARCHAR2(20)", "string"),
        ("NUMBER(10,2)", "number"),
        ("int(11) unsigned", "integer"),
        ("tinyint", "integer"),
        ("timestamp(6) without time zone", "datetime"),
        ("double precision", "double"),
        ("bytea", "binary"),
        ("NCLOB", "text"),
        ("geometry", "string"),
        ("bit", "boolean"),
    ],
)
def test_types_of_databases(given: str, kind: str) -> None:
    assert data_type_of(given) == kind


def test_field_names_are_lawful() -> None:
    assert [field_name_of(c, 7) for c in ("2fa", "机构", "A-B c", "_x")] == [
        "c_2fa",
        "field_7",
        "a_b_c",
        "x",
    ]


def test_merging_keeps_what_people_said() -> None:
    standing = (
        InformationItem(1, "编码", "code", "string", 20, description="人工填写"),
        InformationItem(2, "旧列", "old", "string", 20),
    )
    found = (
        InformationItem(1, "code", "code", "string", 50),
        InformationItem(2, "新列", "new", "integer"),
    )
    added = merge_items(standing, found, replace_all=False)
    assert [(i.order, i.field_name) for i in added] == [(1, "code"), (2, "old"), (3, "new")]
    assert added[0].description == "人工填写"
    anew = merge_items(standing, found, replace_all=True)
    assert [(i.order, i.field_name, i.name) for i in anew] == [
        (1, "code", "编码"),
        (2, "new", "新列"),
    ]
