"""The contract of both engines: what finds what, and who finds it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from search.engine import SearchEngine, SearchRefused
from search.request import DateRange, FacetAsk, SearchRequest, Sort
from tests.search.documents import PUBLIC, START, catalogue, entry

# The longest query there is: every word with synonyms, none the same.
MANY = "公交 低保 看病 幼儿园 停车场 充电桩 公积金 空气质量 营业执照 食品安全 公厕 供暖 国内生产总值 身份证 律师事务所 地铁"


def found(engine: SearchEngine, words: str = "", **asked: object) -> list[int]:
    result = engine.search(SearchRequest(words, **asked), PUBLIC)
    return [hit.id for hit in result.hits[: result.whole]]


@pytest.fixture
def filled(engine: SearchEngine) -> SearchEngine:
    engine.write(catalogue(), [])
    return engine


def test_an_empty_index_answers_and_finds_nothing(engine):
    result = engine.search(SearchRequest("公交", facets=(FacetAsk("theme"),)), PUBLIC)
    assert (result.total, result.hits, dict(result.facets)) == (0, (), {"theme": ()})
    assert list(engine.versions()) == []
    engine.ping()


def test_words_find_entries(filled):
    cases = {
        "公交线路": [1],
        "長春市公車": [1],  # traditional characters, and another word for the same thing
        "公共汽车": [3, 1],  # synonym
        "低保": [2],  # synonym the segmenter cuts into three
        "看病": [4],  # one-way synonym
        "上学": [],
        "空气质量": [5],  # the entry is written in traditional characters
        "aqi": [5],  # full width in the entry
        "AIR Stations": [5],  # case and stemming
        "station": [5, 3, 1],  # an English word also finds what officials call it
        "pm2.5": [5],
        "PM2": [5],
        "監": [5],  # one character
        "甪": [7],  # one that no dictionary has
        "㵟甪": [7],
        "전": [],
        "기상 관측": [6],
        "第一医院": [4],  # sample value
        "交通运输局": [1],  # provider
        "经度": [1],  # item
        "按月更新": [2],  # abstract
    }
    assert {words: found(filled, words) for words in cases} == cases


def test_pinyin_and_its_initials_find_titles(filled):
    assert sorted(found(filled, "gongjiao")) == [1, 3]
    assert found(filled, "gjzd") == [3, 1]
    assert found(filled, "changchun gongjiao") == [1]


def test_codes_and_names_are_found_whole_and_by_their_beginning(filled):
    assert found(filled, "220100#00021/000001") == [1]
    assert found(filled, "220100") == [1]
    assert found(filled, "changchun-bus-stops") == [1]
    assert sorted(found(filled, "22")) == [1, 2, 3, 4, 5, 6, 7]


def test_all_words_must_match_whichever_field_they_are_in(filled):
    assert found(filled, "长春 公交 经度") == [1]
    assert found(filled, "公交 的 数据") == [3, 1]  # stop words are not required
    assert found(filled, "数据") == [7]  # nothing but a stop word: it counts
    assert found(filled, "的") == [2]


def test_any_part_of_a_title_finds_it_without_relaxing(filled):
    for title, entry_id in (
        ("最低生活保障家庭名单", 2),
        ("空气质量小时值", 5),
        ("㵟甪镇数据", 7),
        ("长春市公交线路站点信息", 1),
    ):
        for start in range(len(title)):
            for end in range(start + 1, min(start + 6, len(title)) + 1):
                result = filled.search(SearchRequest(title[start:end]), PUBLIC)
                assert not result.relaxed
                assert entry_id in {hit.id for hit in result.hits}, title[start:end]


def test_words_are_relaxed_only_when_nothing_holds_them_all(filled):
    strict = filled.search(SearchRequest("公交 线路"), PUBLIC)
    relaxed = filled.search(SearchRequest("公交 床位"), PUBLIC)
    assert (strict.relaxed, strict.whole, strict.hits[0].id) == (False, 1, 1)
    assert relaxed.relaxed
    assert {hit.id for hit in relaxed.hits} == {1, 3, 4}
    assert not filled.search(SearchRequest("㐀㐁㐂"), PUBLIC).relaxed


def test_a_filter_that_leaves_nothing_does_not_relax_the_words(filled):
    asked = SearchRequest("公交 线路", filters={"theme": ("health",)}, facets=(FacetAsk("theme"),))
    result = filled.search(asked, PUBLIC)
    assert result.total == 0
    assert [(count.code, count.count) for count in result.facets["theme"]] == [("transport", 2)]


def test_where_few_hold_every_word_others_that_hold_some_come_after_them(filled):
    result = filled.search(SearchRequest("公交 经度", facets=(FacetAsk("theme"),)), PUBLIC)
    assert [hit.id for hit in result.hits] == [1, 3]
    assert (result.whole, result.total, result.relaxed) == (1, 2, False)
    assert [(count.code, count.count) for count in result.facets["theme"]] == [("transport", 2)]
    pages = [filled.search(SearchRequest("公交 经度", start=n, rows=1), PUBLIC) for n in (0, 1, 2)]
    assert [[hit.id for hit in page.hits] for page in pages] == [[1], [3], []]


def test_a_walk_meets_what_the_pages_show(filled):
    walked: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = filled.search(SearchRequest("公交 经度", rows=1, after=cursor), PUBLIC)
        walked += [hit.id for hit in page.hits]
        cursor = page.next_cursor
    assert walked == [1, 3]


def test_where_many_hold_every_word_no_others_come(engine):
    engine.write([entry(n, f"公交线路{n}") for n in range(1, 12)] + [entry(20, "公交")], [])
    result = engine.search(SearchRequest("公交 线路", rows=50), PUBLIC)
    assert (result.total, result.whole) == (11, None)


def test_words_without_a_letter_browse(filled):
    assert found(filled, " ？！ ") == found(filled)


def test_only_viewers_with_a_label_find_an_entry(engine):
    engine.write([entry(1, "公开"), entry(2, "内部", labels=frozenset({"org:A", "bureau"}))], [])
    ask = SearchRequest(facets=(FacetAsk("theme"),))
    seen = {
        label: [hit.id for hit in engine.search(ask, frozenset({label})).hits]
        for label in ("public", "org:A", "org:B", "bureau")
    }
    assert seen == {"public": [1], "org:A": [2], "org:B": [], "bureau": [2]}
    assert engine.search(ask, frozenset()).total == 0
    assert engine.search(ask, frozenset({"public", "org:A"})).total == 2
    assert engine.search(SearchRequest("内部"), PUBLIC).total == 0
    assert engine.suggest("内", PUBLIC) == ()


def test_filters_take_any_code_of_a_facet_and_all_facets(filled):
    assert sorted(found(filled, filters={"theme": ("transport", "health")})) == [1, 3, 4]
    assert found(filled, filters={"theme": ("transport",), "region": ("220100",)}) == [1]
    assert sorted(found(filled, filters={"region": ("220000",)})) == [1, 2, 3, 4, 5]
    assert found(filled, filters={"theme": ()}) == []
    assert sorted(found(filled, excluded={"region": ("220000",)})) == [6, 7]
    assert found(filled, "公交", excluded={"region": ("220200",)}) == [1]


def test_ids_codes_and_the_deny_set(filled):
    assert sorted(found(filled, ids=frozenset({1, 2, 99}))) == [1, 2]
    assert found(filled, ids=frozenset()) == []
    assert found(filled, codes=("220000-00003", "changchun-bus-stops")) == [1, 3]
    hidden = filled.search(
        SearchRequest("公交", excluded_ids=frozenset({1}), facets=(FacetAsk("theme"),)), PUBLIC
    )
    assert ([hit.id for hit in hidden.hits], hidden.total) == ([3], 1)
    assert hidden.facets["theme"][0].count == 1


def test_date_ranges_are_half_open(filled):
    def within(start: int | None, end: int | None) -> list[int]:
        days = [None if day is None else START + timedelta(days=day) for day in (start, end)]
        return sorted(found(filled, ranges=(DateRange("modified", *days),)))

    assert within(5, 9) == [2, 4]
    assert within(7, None) == [1, 4]
    assert within(None, 3) == [3, 6, 7]
    assert within(None, None) == [1, 2, 3, 4, 5, 6, 7]


def test_sorts(engine):
    engine.write(
        [
            entry(1, "长春", day=1, downloads=5, value_score=10.0),
            entry(2, "白山", day=3, downloads=5, value_score=30.0),
            entry(3, "吉林", day=2, downloads=9, value_score=20.0),
        ],
        [],
    )
    orders = {
        sort: found(engine, sort=sort) for sort in (Sort.VALUE, Sort.MODIFIED, Sort.DOWNLOADS)
    }
    assert orders == {
        Sort.VALUE: [2, 3, 1],
        Sort.MODIFIED: [2, 3, 1],
        Sort.DOWNLOADS: [3, 1, 2],  # ties by code
    }
    assert found(engine, sort=Sort.TITLE, descending=False) == [2, 1, 3]  # by pinyin
    assert found(engine, sort=Sort.CREATED) == [1, 2, 3]


@pytest.mark.parametrize("sort", [sort for sort in Sort if sort is not Sort.RELEVANCE])
def test_the_opposite_direction_is_the_mirror(filled, sort):
    down = found(filled, sort=sort, descending=True)
    assert found(filled, sort=sort, descending=False) == down[::-1]
    assert len(set(down)) == 7


def test_hits_carry_what_was_stored_and_marks(filled):
    asked = SearchRequest("低保 发放", highlight=True)
    hit = filled.search(asked, PUBLIC).hits[0]
    assert hit.stored == {"title": "最低生活保障家庭名单"}
    assert hit.code == "220000-00002"
    assert hit.highlights == {
        "title": "\ue000最低生活保障\ue001家庭名单",
        "abstract": "全省城乡\ue000最低生活保障\ue001对象的\ue000发放\ue001情况，按月更新。",
    }
    assert filled.search(replace(asked, highlight=False), PUBLIC).hits[0].highlights == {}


@pytest.mark.parametrize(
    "asked",
    [
        {"start": -1},
        {"rows": -1},
        {"start": 9_990, "rows": 20},
        {"start": 10**9},
        {"filters": {"colour": ("red",)}},
        {"excluded": {"colour": ("red",)}},
        {"facets": (FacetAsk("colour"),)},
        {"ranges": (DateRange("opened"),)},
        {"after": "nonsense"},
        {"after": "9.1"},
        {"beta": -1.0},
    ],
)
def test_what_cannot_be_answered_is_refused(engine, asked):
    with pytest.raises(SearchRefused):
        engine.search(SearchRequest(**asked), PUBLIC)


@pytest.mark.parametrize("words", ['"', "*:*", "\\"])
def test_signs_alone_are_no_words(filled, words):
    assert filled.search(SearchRequest(words, highlight=True), PUBLIC).total == 7
    assert list(filled.suggest(words, PUBLIC)) == []


@pytest.mark.parametrize("words", ["a AND (b", "公" * 5000, "x " * 500, "\x00公", MANY])
def test_no_words_are_a_syntax_error(filled, words):
    result = filled.search(SearchRequest(words, highlight=True), PUBLIC)
    assert result.total == len(result.hits) <= 7
    assert len(filled.suggest(words, PUBLIC)) <= 7


def test_suggestions(filled):
    def offered(typed: str, **more: object) -> list[str]:
        return [each.title for each in filled.suggest(typed, PUBLIC, **more)]

    assert offered("公交站") == ["公交站点"]
    assert offered("gongj") == ["长春市公交线路站点信息", "公交站点"]  # the valuable one first
    assert offered("gj", limit=1) == ["长春市公交线路站点信息"]
    assert offered("zdsh") == ["最低生活保障家庭名单"]
    assert offered("gong jiao zh") == ["公交站点"]
    assert offered("gōngjiāozh") == ["公交站点"]
    assert offered("站點") == ["长春市公交线路站点信息", "公交站点"]
    assert offered("活保障家") == ["最低生活保障家庭名单"]  # inside a title, at no word's beginning
    assert offered("公交 信息") == ["长春市公交线路站点信息"]
    assert offered("changchun 站") == ["长春市公交线路站点信息"]
    assert offered("公") == offered("g") == ["长春市公交线路站点信息", "公交站点"]
    assert offered("gj", excluded_ids=frozenset({1})) == ["公交站点"]
    assert offered("") == []
    assert offered("*") == []
