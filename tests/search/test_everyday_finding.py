"""The contract of both engines: the thesaurus finds, below what holds the words themselves."""

from __future__ import annotations

import random

import pytest

from search.engine import SearchEngine
from search.request import FacetAsk, SearchRequest
from tests.search.documents import PUBLIC, entry

TITLES = {
    1: "义务教育阶段学校招生范围",
    2: "基本医疗保险定点医疗机构名单",
    3: "公共停车场信息",
    4: "供热企业服务电话",
    5: "养老机构名录",
    6: "长春市停车泊位",
}


def found(engine: SearchEngine, words: str, **asked: object) -> list[int]:
    result = engine.search(SearchRequest(words, **asked), PUBLIC)
    return [hit.id for hit in result.hits[: result.whole]]


@pytest.fixture
def filled(engine: SearchEngine) -> SearchEngine:
    engine.write([entry(n, title) for n, title in TITLES.items()], [])
    return engine


def test_everyday_words_find_official_ones(filled):
    cases = {
        "孩子上学划片": {1},
        "看病怎么报销": {2},
        "冬天供暖投诉": {4},
        "老人没人照顾怎么办": {5},
        "长春哪里能停车": {6},
    }
    assert {words: set(found(filled, words)) for words in cases} == cases
    assert found(filled, "看病怎么报销", thesaurus=False) != [2]


def test_what_holds_the_words_comes_before_what_only_means_them(engine):
    """Whatever the fields, the values and how often the official terms occur."""
    chance = random.Random(5)
    literal = [
        entry(n, "名单", abstract="其他内容" * n + "看病报销", value_score=0.0) for n in range(9)
    ]
    meant = [
        entry(
            n,
            "医疗保险医保医疗费用" * chance.randint(1, 4),
            keywords=("医疗保险", "定点医疗机构"),
            value_score=100.0,
        )
        for n in range(100, 130)
    ]
    engine.write(literal + meant, [])
    whole = found(engine, "看病报销", rows=100)
    assert set(whole[:9]) == {hit.id for hit in literal}
    assert len(whole) == 39
    pages = [
        one for start in range(0, 40, 4) for one in found(engine, "看病报销", start=start, rows=4)
    ]
    assert pages == whole


def test_counts_are_those_of_all_tiers(engine):
    engine.write(
        [
            entry(1, "看病报销", facets={"theme": ["health"]}),
            entry(2, "医疗保险", facets={"theme": ["health"]}),
            entry(3, "医疗保险基金", facets={"theme": ["social"]}),
        ],
        [],
    )
    asked = SearchRequest("看病报销", facets=(FacetAsk("theme"),))
    result = engine.search(asked, PUBLIC)
    assert result.total == 3
    assert [(count.code, count.count) for count in result.facets["theme"]] == [
        ("health", 2),
        ("social", 1),
    ]
    assert found(engine, "看病报销", filters={"theme": ("social",)}) == [3]
    walked = engine.search(SearchRequest("看病报销", after=""), PUBLIC)
    assert [hit.id for hit in walked.hits] == [1, 2, 3]


def test_when_nothing_means_it_all_the_official_terms_still_count(filled):
    result = filled.search(SearchRequest("北京哪里能停车"), PUBLIC)
    assert result.relaxed
    assert {hit.id for hit in result.hits} >= {3, 6}
