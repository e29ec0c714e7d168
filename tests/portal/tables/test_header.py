from __future__ import annotations

import re

import pytest

from portal.tables.header import FIELD_NAME, field_names, find_header


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
    assert find_header(rows) == expected


def test_field_name_pattern_is_what_the_api_promises():
    assert FIELD_NAME.pattern == r"[a-z][a-z0-9_]{0,62}"
    assert re.fullmatch(FIELD_NAME, "a" * 64) is None
