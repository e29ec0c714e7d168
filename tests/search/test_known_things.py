"""The contract of both engines: whatever somebody knows of a data set finds it."""

from __future__ import annotations

import pytest

from search.engine import SearchEngine
from search.request import SearchRequest
from tests.search.documents import PUBLIC, entry

WANTED = entry(
    1,
    "长春市公共汽电车首末班时刻信息",
    code="105000220000015/000021",
    name="bus-first-last",
    abstract="按季度整理，供出行规划使用。",
    keywords=("公交", "时刻表"),
    item_names=("线路编码", "首班发车时间"),
    provider_names=("吉林省交通运输厅", "省交通运输厅"),
    sample_values=("红旗街换乘站", "05:40", "GJ0017"),
)


@pytest.fixture
def filled(engine: SearchEngine) -> SearchEngine:
    others = [
        entry(n, title, provider_names=("吉林省教育厅", "省教育厅"))
        for n, title in enumerate(("中小学名录", "幼儿园名录", "普通高校招生计划"), start=2)
    ]
    engine.write([WANTED, *others], [])
    return engine


KNOWN = (
    "末",  # one character
    "首末班",  # a part of a word
    "汽电车首",  # a part across words
    "长春市公共汽电车首末班时刻信息",
    "長春市公共汽電車首末班時刻信息",
    "105000220000015/000021",
    "105000220000015",
    "10500022",  # how a code begins
    "bus-first",
    "省交通厅",
    "交通厅",
    "省交通运输厅",
    "首班发车时间",
    "发车时间",
    "红旗街换乘站",
    "红旗街",
    "gj0017",
    "时刻表",
    "出行规划",
    "的时刻表",
)


def test_what_is_known_of_a_data_set_finds_it(filled):
    missed = []
    for known in KNOWN:
        result = filled.search(SearchRequest(known), PUBLIC)
        if result.relaxed or result.hits[0].id != 1 or (result.whole or result.total) != 1:
            missed.append(known)
    assert missed == []
