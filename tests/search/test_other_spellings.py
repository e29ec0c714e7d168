"""The contract of both engines: other spellings find, are named, and can be undone."""

from __future__ import annotations

import pytest

from search.engine import SearchEngine
from search.request import FacetAsk, SearchRequest
from tests.search.documents import PUBLIC, catalogue, entry


@pytest.fixture
def filled(engine: SearchEngine) -> SearchEngine:
    engine.write(catalogue(), [])
    return engine


def ask(engine: SearchEngine, words: str, **asked: object):
    result = engine.search(SearchRequest(words, **asked), PUBLIC)
    used = result.correction.used if result.correction else None
    return [hit.id for hit in result.hits[: result.whole]], used


def test_other_spellings_find_and_are_named(filled):
    cases = {
        "gongjiaozhandian": ([3, 1], "公交站点"),
        "gong jiao": ([3, 1], "公交"),
        "gongjiao站点": ([3, 1], "公交站点"),
        "changchun公交": ([1], "长春公交"),
        "gjzd": ([3, 1], "公交站点"),
        "kqzl": ([5], "空气质量"),
        "monitering": ([5], "monitoring"),
        "工交": ([3, 1], "公交"),
        "醫療機够": ([4], "医疗机构"),
        "公交": ([3, 1], None),
        "air": ([5], None),
    }
    assert {words: ask(filled, words) for words in cases} == cases


def test_a_correction_can_be_undone(filled):
    assert ask(filled, "gongjiaozhandian", as_typed=True) == ([], None)
    assert ask(filled, "工交", as_typed=True)[1] is None


def test_an_exact_title_stays_first_in_another_spelling(filled):
    result = filled.search(SearchRequest("gongjiaozhandian"), PUBLIC)
    assert (result.hits[0].id, result.hits[0].exact) == (3, True)


def test_literal_hits_come_before_those_of_a_correction(engine):
    engine.write(
        [
            entry(1, "公交", value_score=100.0),
            entry(2, "其他", abstract="gongjiao", value_score=0.0),
            entry(3, "公交线路"),
        ],
        [],
    )
    assert ask(engine, "gongjiao")[0] == [1, 2, 3]  # the first one equals the title


def test_marks_show_what_was_found(filled):
    result = filled.search(SearchRequest("gongjiaozhandian", highlight=True), PUBLIC)
    assert result.hits[0].highlights["title"] == "\ue000公交站点\ue001"


def test_no_correction_tells_of_what_the_viewer_may_not_open(engine):
    engine.write(
        [
            entry(1, "公交站点"),
            entry(2, "秘密矿藏", labels=frozenset({"bureau"})),
            entry(3, "稀土储量"),
        ],
        [],
    )
    assert ask(engine, "mimikuangcang") == ([], None)
    assert ask(engine, "mmkc") == ([], None)
    assert ask(engine, "密秘矿藏")[1] is None
    assert ask(engine, "xituchuliang") == ([3], "稀土储量")
    denied = frozenset({3})
    assert ask(engine, "xituchuliang", excluded_ids=denied) == ([], None)
    assert ask(engine, "xtcl", excluded_ids=denied) == ([], None)
    assert ask(engine, "希土储量", excluded_ids=denied)[1] is None


def test_the_words_follow_the_index(engine):
    engine.write([entry(1, "公交站点")], [])
    assert ask(engine, "kuaidi") == ([], None)
    engine.write([entry(2, "快递网点")], [(1, 2)])
    assert ask(engine, "kuaidi") == ([2], "快递")
    assert ask(engine, "gongjiao") == ([], None)


def test_a_facet_filter_changes_no_reading(filled):
    asked = SearchRequest("工交", filters={"theme": ("health",)}, facets=(FacetAsk("theme"),))
    result = filled.search(asked, PUBLIC)
    assert (result.total, result.correction.used) == (0, "公交")
    assert [(c.code, c.count) for c in result.facets["theme"]] == [("transport", 2)]


def test_a_walk_reads_the_same(filled):
    first = filled.search(SearchRequest("gongjiao", after="", rows=1), PUBLIC)
    second = filled.search(SearchRequest("gongjiao", after=first.next_cursor, rows=1), PUBLIC)
    assert [hit.id for hit in (*first.hits, *second.hits)] == [1, 3]
