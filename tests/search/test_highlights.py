"""Marks around the words that matched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.highlights import END, START, mark


@pytest.mark.parametrize(
    ("text", "typed", "expected"),
    [
        ("长春市公交线路", "公交", "长春市[公交]线路"),
        ("長春市公車線路", "长春市线路", "[長春市]公車[線路]"),
        ("Hourly Stations of ＡＱＩ", "station aqi", "Hourly [Stations] of [ＡＱＩ]"),
        ("bus and business", "bus", "[bus] and business"),
        ("医院", "公交", None),
        ("医院", "?", None),
        ("[a+b] 100%", "100", "[a+b] [100]%"),
    ],
)
def test_mark(text, typed, expected):
    found = mark(text, typed)
    assert (found and found.replace(START, "[").replace(END, "]")) == expected


def test_marks_in_the_text_itself_are_taken_out():
    assert mark(f"{START}<b>公交{END}医院", "医院") == f"<b>公交{START}医院{END}"


@given(st.text("长春公交 a.<>\ue000\ue001㎡Ａ", max_size=30), st.text("长春公交 a<", max_size=8))
def test_a_mark_changes_nothing_but_marks(text, typed):
    plain = text.replace(START, "").replace(END, "")
    found = mark(text, typed)
    if found is not None:
        assert found.replace(START, "").replace(END, "") == plain
        assert found.count(START) == found.count(END) > 0


def test_official_terms_for_everyday_words_are_marked():
    assert mark("定点医疗机构名单", "看病怎么报销") == f"{START}定点医疗机构{END}名单"
    assert mark("医院名单", "公交") is None
