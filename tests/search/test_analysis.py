"""The one text analysis."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import analysis
from search.pinyin import title_order, title_starts

CHINESE = st.text(
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=12
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ＡＱＩ", "aqi"), ("長春資料", "长春资料"), ("㎡", "m2"), ("Ⅲ类水质", "iii类水质"), ("", "")],
)
def test_normalise(text, expected):
    assert analysis.normalise(text) == expected


def test_words_pairs_and_characters_are_tokens():
    tokens = analysis.tokens("长春市公交")
    assert set(tokens) == {"长春市", "长春", "公交", "春市", "市公", "长", "春", "市", "公", "交"}
    assert len(tokens) == 10


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PM2.5", {"pm2.5", "pm2", "5"}),
        ("Bus Stations", {"bus", "station"}),
        ("station_id", {"station_id", "station", "id"}),
        ("2020年", {"2020", "年"}),
        ("、。！", set()),
        ("🚌", set()),
    ],
)
def test_other_tokens(text, expected):
    assert set(analysis.tokens(text)) == expected


@given(CHINESE)
def test_every_pair_and_character_is_a_token(text):
    tokens = set(analysis.tokens(text))
    normal = analysis.normalise(text)
    assert set(normal) <= tokens
    assert set(analysis.bigrams(normal)) <= tokens


@given(st.text(max_size=60))
def test_tokens_hold_no_space_and_offsets_fit(text):
    assert not any(character.isspace() for token in analysis.tokens(text) for character in token)
    plain, offsets = analysis.normalise_with_offsets(text)
    assert len(plain) == len(offsets)
    assert offsets == sorted(offsets)


def test_codes_have_every_beginning():
    tokens = analysis.code_tokens(["220100#00021/000001"])
    assert {"22", "220", "220100", "00021/000001", "00021", "000001", "0000"} <= set(tokens)
    assert "2" not in tokens


@pytest.mark.parametrize("other", ["公交 站点", "公交·站点", " 公交　站点？"])
def test_exact_keys_agree_on_what_people_call_the_same(other):
    assert analysis.exact_key(other) == analysis.exact_key("公交 站點")


def test_title_starts():
    starts = title_starts("长春公交GPS")
    assert {"b:长", "b:c", "b:公", "b:g"} <= set(starts)
    assert "p:luyou" in title_starts("旅游")
    assert {"t:长春公交gps", "t:公交gps", "p:gongjiaogps", "i:ccgjg", "t:gps"} <= set(starts)
    assert title_starts("") == []


def test_titles_sort_by_pinyin():
    titles = ["长春", "A股", "重庆", "白山", "2020年"]
    assert sorted(titles, key=title_order) == ["2020年", "A股", "白山", "长春", "重庆"]
