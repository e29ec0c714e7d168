"""Which words of a query an entry answers to, where and how."""

from __future__ import annotations

import pytest

from search.engine import SearchEngine
from search.explanations import explain_match, is_exact
from search.request import SearchRequest
from tests.search.documents import PUBLIC, catalogue

BY_ID = {one.id: one for one in catalogue()}


def told(entry_id: int, typed: str, corrected: str = "") -> set[tuple[str, str, str]]:
    matches = explain_match(BY_ID[entry_id], typed, corrected)
    return {(match.form, match.means, match.fields[0]) for match in matches}


@pytest.mark.parametrize(
    ("entry_id", "typed", "expected"),
    [
        (1, "公交", ("公交", "literal", "title")),
        (1, "经度", ("经度", "literal", "item_names")),
        (1, "交通运输局", ("交通运输局", "literal", "provider_names")),
        (2, "低保", ("最低生活保障", "synonym", "title")),
        (4, "吉林大学", ("吉林大学", "literal", "sample_values")),
        (5, "空气质量", ("空气质量", "literal", "title")),
        (5, "STATION", ("station", "literal", "title")),
        (1, "gongjiao", ("gongjiao", "pinyin", "title")),
        (1, "220100", ("220100", "code", "codes")),
    ],
)
def test_a_word_is_found_where_it_stands(
    entry_id: int, typed: str, expected: tuple[str, str, str]
) -> None:
    assert expected in told(entry_id, typed)


def test_a_correction_is_named_as_one() -> None:
    assert ("公交", "correction", "title") in told(1, "gongjiau", "公交")
    assert ("公交", "correction", "title") not in told(1, "公交", "公交")


def test_nothing_is_told_without_words_or_a_match() -> None:
    assert explain_match(BY_ID[1], "") == ()
    assert explain_match(BY_ID[1], "医院") == ()
    assert explain_match(BY_ID[1], "\0" * 5_000 + "(") == ()


def test_the_exact_tier() -> None:
    assert is_exact(BY_ID[3], "公交 站点") is False
    assert is_exact(BY_ID[3], "「公交站点」")
    assert is_exact(BY_ID[1], "changchun-bus-stops")


@pytest.mark.parametrize("typed", ["公交", "低保", "hourly", "gongjiao", "床位", "220000-00003"])
def test_every_hit_has_a_reason(engine: SearchEngine, typed: str) -> None:
    engine.write(catalogue(), [])
    result = engine.search(SearchRequest(typed), PUBLIC)
    assert result.total
    used = result.correction.used if result.correction else ""
    for hit in result.hits:
        assert explain_match(BY_ID[hit.id], typed, used), (typed, hit.id)
