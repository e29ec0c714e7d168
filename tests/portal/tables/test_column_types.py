from __future__ import annotations

import pytest

from portal.tables.column_types import ColumnType, names_a_code


def type_of(build, values, name="数值"):
    lines = "".join(f'"{value}",x\n' for value in values)
    return build(f"{name},其他\n{lines}").columns[0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "2", "30"], "integer"),
        (["-5", "+7", "0"], "integer"),
        (["1,234", "12", "1,000,000"], "integer"),
        (["1", "2.5"], "number"),
        (["656969.48", "12"], "number"),  # a cast to BIGINT would round it without a word
        ([".5", "1"], "number"),
        (["12", "-", "…"], "integer"),
        (["001084", "12"], "text"),
        (["123456789012345"], "integer"),
        (["1234567890123456"], "text"),
        (["220102199001010011"], "text"),
        (["1e5", "2"], "text"),
        (["0x1F"], "text"),
        (["1_000"], "text"),
        (["12%"], "text"),
        (["1,2,3"], "text"),
        (["93~122"], "text"),
        (["220102", "220103", "220104"], "text"),
        (["220102001", "220103002", "220104003"], "text"),
        (["13844400000", "13944400000", "15044400000"], "text"),
        (["220102", "220103", "990000"], "integer"),
        (["true", "false"], "text"),
        (["2024-01-31", "2024/2/9"], "date"),
        (["2024年1月31日", "2024.2.9"], "date"),
        (["2024-02-30", "2024-01-01"], "text"),
        (["2024-01-31 08:30", "2024-02-01T9:05:01"], "datetime"),
        (["2024-01-31", "2024-02-01 10:00:00.5"], "datetime"),
        (["2024-01-31 25:00", "2024-02-01 10:00"], "text"),
        (["2024-01-31T08:30:00Z"], "text"),
        (["1/2/2024"], "text"),
        (["20240131", "20240201"], "integer"),
        (["-", "—"], "text"),
        (["12", "甲"], "text"),
    ],
)
def test_a_type_is_verified_on_every_value(build, values, expected):
    assert type_of(build, values).type == expected


def test_one_late_value_makes_a_column_text(build):
    values = [str(number) for number in range(25_000)] + ["不详"]
    column = type_of(build, values)
    assert column.type is ColumnType.TEXT
    assert column.distinct_count == 25_001


def test_a_late_decimal_makes_integers_numbers(build):
    column = type_of(build, ["7"] * 25_000 + ["0.25"])
    assert (column.type, column.sql_type) == ("number", "DECIMAL(3,2)")


def test_eight_digits_are_a_date_by_the_name(build):
    assert type_of(build, ["20240131", "20240201"], "成立日期").type is ColumnType.DATE


@pytest.mark.parametrize(
    "name",
    ["行政区划代码", "编码", "企业编号", "身份证", "联系电话", "邮编", "学校标识码", "code", "id",
     "station_id", "cityCode", "userID", "ZIP", "用户ID"],
)  # fmt: skip
def test_codes_by_name_stay_text(build, name):
    assert names_a_code(name)
    assert type_of(build, ["12", "13"], name).type is ColumnType.TEXT


@pytest.mark.parametrize("name", ["序号", "人数", "width", "paid", "decode", "号数", "男", "video"])
def test_other_names_are_no_codes(name):
    assert not names_a_code(name)
