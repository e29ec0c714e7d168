"""What somebody typed, as words; synonyms and stop words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.synonyms import read_synonyms, synonyms
from search.words import analyse


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


def test_stop_words_never_empty_a_query():
    assert required("的") == ["的"]
    assert required("查询数据") == ["查询", "数据"]


def test_a_synonym_that_is_cut_is_joined_again_but_not_across_words():
    assert required("最低生活保障资金") == ["最低生活保障", "资金"]
    assert "低保" in analyse("最低生活保障资金").required[0].synonyms
    assert required("中医保健") == ["中医", "保健"]  # holds 医保 only across two words


@given(st.text(max_size=400))
def test_any_text_gives_few_words(typed):
    words = analyse(typed)
    assert len(words.required) <= 8
    assert bool(words) == bool(words.required)


def test_the_synonyms_shipped_are_sound():
    found = synonyms()
    assert len(found) > 150
    assert "公共交通" in found["公交"]
    assert "医院" in found["看病"]
    assert "看病" not in found.get("医院", ())


@pytest.mark.parametrize("row", ["公交,same,", "公交、,same,", "公交、地铁,alike,"])
def test_a_faulty_row_of_synonyms_is_named(row):
    with pytest.raises(ValueError, match="row 3"):
        read_synonyms(["terms,kind,note", "低保、最低生活保障,same,", row])
