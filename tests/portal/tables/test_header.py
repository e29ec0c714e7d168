from __future__ import annotations

import re

import pytest

from portal.tables.header import FIELD_NAME, field_names, find_header, find_header_row


def test_field_names_are_pinyin_safe_and_unique():
    made = field_names(
        [
            "统一社会信用代码",
            "busName",
            "2024年人数",
            "名称",
            "名称",
            "%",
            "A-B c",
            "字" * 80,
            "_id",
            "ID",
        ]
    )
    assert made[:5] == [
        "tong_yi_she_hui_xin_yong_dai_ma", "bus_name", "c_2024_nian_ren_shu", "ming_cheng", "ming_cheng_2",
    ]  # fmt: skip
    assert made[5:7] == ["col_6", "a_b_c"]
    assert made[8:] == ["id", "id_2"]
    assert len(set(made)) == len(made)
    assert all(FIELD_NAME.fullmatch(name) for name in made)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["a", "b"], ["1", "2"]], 0),
        ([["标题", "", ""], ["a", "b", "c"], ["1", "2", "3"], ["4", "5", "6"]], 1),
        ([["", ""], ["标题", ""], ["a", "b"], ["1", "2"]], 2),
        ([["地区", "2020", "2021", "2022"], ["甲", "1", "2", "3"]], 0),
        ([["", "人口", "面积"], ["1978年", "", ""], ["1979年", "", ""], ["1990年", "1", "2"]], 0),
        ([["只有一列"], ["1"]], 0),
    ],
)
def test_the_header_is_found_below_titles(rows, expected):
    assert find_header_row(rows) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["长春", "2013-12-02", "103"], ["长春", "2013-12-03", "90"]], -1),
        ([["1", "空", "0", "0"], ["2", "", "1", "0"]], -1),
        ([["名单", "/dataset/a"], ["清单", "/dataset/b"]], -1),
        ([["指标", "2023-01-01", "2023-02-01"], ["人口", "12", "13"]], 0),
    ],
)
def test_a_first_row_like_those_below_is_data(rows, expected):
    assert find_header_row(rows) == expected


def test_two_rows_of_names_become_one():
    rows = [
        ["2024年人口", "", "", "", ""],
        ["地区", "人口", "", "面积", ""],
        ["", "男", "女", "合计", "其中耕地"],
        ["长春", "1", "2", "3", "4"],
    ]
    found = find_header(rows)
    assert (found.first, found.last) == (1, 2)
    assert found.names == ("地区", "人口/男", "人口/女", "面积/合计", "面积/其中耕地")


def test_merged_cells_bind_rows_of_names():
    rows = [
        ["标题", "", "", ""],
        ["地区", "人口", "", "面积"],
        ["", "男", "女", ""],
        ["长春", "1", "2", "3"],
    ]
    merges = [(0, 0, 0, 3), (1, 0, 2, 0), (1, 1, 1, 2), (1, 3, 2, 3)]
    found = find_header(rows, merges)
    assert (found.first, found.last) == (1, 2)
    assert found.names == ("地区", "人口/男", "人口/女", "面积")


def test_a_row_of_units_is_no_second_header():
    rows = [["地区", "", "面积"], ["长春", "12", "3"], ["吉林", "11", "4"]]
    assert find_header(rows).last == 0


def test_field_name_pattern_is_what_the_api_promises():
    assert FIELD_NAME.pattern == r"[a-z][a-z0-9_]{0,62}"
    assert re.fullmatch(FIELD_NAME, "a" * 64) is None
