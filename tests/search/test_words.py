"""What somebody typed, as words, and as everyday speech."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.lexicon import lexicon
from search.words import analyse, everyday


def required(typed: str) -> list[str]:
    return [word.text for word in analyse(typed).required]


def test_words_of_a_query():
    assert required("長春市公交线路") == ["长春市", "公交线路"]
    assert [word.parts for word in analyse("长春市公交线路").required] == [
        ("长春",),
        ("公交", "线路"),
    ]
    assert required("PM2.5 数据") == ["pm2.5"]
    assert required("??") == []
    assert not analyse("")


@pytest.mark.parametrize("typed", ["的", "怎么办", "哪里有 数据", "the data"])
def test_stop_words_never_empty_a_query(typed):
    assert required(typed)


def test_words_of_questions_are_not_required():
    assert required("哪里能停车") == ["停车"]
    assert required("想要长春的公交数据怎么办") == ["长春", "公交"]


def test_a_term_that_is_cut_is_joined_again_but_not_across_words():
    assert required("最低生活保障资金") == ["最低生活保障", "资金"]
    assert "低保" in analyse("最低生活保障资金").required[0].synonyms
    assert required("中医保健") == ["中医", "保健"]  # holds 医保 only across two words
    assert required("省交通厅公交") == ["省交通厅", "公交"]
    assert "交通运输厅" in analyse("省交通厅").required[0].synonyms


@given(st.text(max_size=400))
def test_any_text_gives_few_words(typed):
    words = analyse(typed)
    assert len(words.required) <= 8
    assert bool(words) == bool(words.required)
    everyday(typed)


@pytest.mark.parametrize(
    ("typed", "official"),
    [
        ("孩子上学划片", "招生范围"),
        ("看病怎么报销", "医疗保险"),
        ("在哪里能停车", "停车场"),
        ("冬天供暖想投诉", "供热"),
        ("长春的老人没人照顾怎么办", "养老机构"),
        ("失业金能领多少", "失业保险"),
    ],
)
def test_everyday_words_are_met_inside_a_question(typed, official):
    reading = everyday(typed)
    assert reading.whole
    assert any(official in terms for terms in reading.meanings)


def test_an_everyday_reading_keeps_places_codes_and_numbers():
    assert [word.text for word in everyday("吉林省哪里能停车2023").rest] == ["吉林省", "2023"]


@pytest.mark.parametrize("typed", ["查看病案", "空气", "公交线路", ""])
def test_what_only_looks_like_an_everyday_word_has_no_such_reading(typed):
    reading = everyday(typed)
    assert reading is None or "看病" not in typed


def test_a_part_that_is_explained_does_not_explain_the_whole():
    assert not everyday("新能源汽车动力电池热失控机理研究停车").whole


def test_the_lexicon_shipped_is_sound():
    known = lexicon()
    assert known.faults == ()
    assert len(known.synonyms) > 300
    assert "公共交通" in known.synonyms["公交"]
    assert known.names["省卫健委"] == "organisation"
