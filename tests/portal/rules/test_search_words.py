"""What searched words may be remembered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.search_words import LONGEST, countable_words


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("  公交   线路 ", "公交 线路"),
        ("ＰＭ２．５", "pm2.5"),
        ("2020-2024年GDP", "2020-2024年gdp"),
        ("12345热线", "12345热线"),
        ("3岁以下", "3岁以下"),
        ("长春\u202e公交\0", "长春公交"),
    ],
)
def test_words_are_kept_in_one_spelling(typed: str, words: str) -> None:
    assert countable_words(typed) == words


@pytest.mark.parametrize(
    "typed",
    [
        "220102199001011234", "22010219900101123X", "220102 19900101 123x", "220102900101123",
        "13800138000", "138 0013 8000", "138-0013-8000", "电话0431-88881234", "(0431) 88881234",
        "１３８００１３８０００", "someone@example.cn", "https://x.cn/a", "www.x.cn",
        "6222020200012345678", "91220101MA0Y1ABC2X", "吉A12345", "吉A·1B345", "吉ad12345", "G12345678",
        "", "   ", "!?。", "公" * (LONGEST + 1), "公" * 10_000,
    ],
)  # fmt: skip
def test_what_may_be_somebodys_is_not_kept(typed: str) -> None:
    assert countable_words(typed) is None


@given(st.text(max_size=400))
def test_anything_is_short_clean_and_stays_as_it_is(typed: str) -> None:
    words = countable_words(typed)
    if words is not None:
        assert len(words) <= LONGEST
        assert "\0" not in words
        assert countable_words(words) == words


@given(
    st.text("公交线路 站a", max_size=20), st.from_regex(r"1[3-9]\d{9}|\d{17}[\dXx]", fullmatch=True)
)
def test_a_number_of_a_person_is_found_in_any_text(around: str, number: str) -> None:
    assert countable_words(f"{around} {number} {around}") is None
