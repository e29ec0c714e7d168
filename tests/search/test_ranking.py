"""The contract of both engines: how value enters the order, and that it is bounded."""

from __future__ import annotations

import random

import pytest

from search.engine import SearchEngine
from search.request import FacetAsk, SearchRequest
from tests.search.documents import PUBLIC, entry

BETAS = [0.0, 0.1, 0.25, 0.33, 1.0]  # 0.33 has no column in the embedded index
WORDS = ("公交", "站点", "线路", "医院", "学校", "统计")


@pytest.fixture
def filled(engine: SearchEngine) -> SearchEngine:
    chance = random.Random(29)
    engine.write(
        [
            entry(
                number,
                "".join(chance.choices(WORDS, k=chance.randint(1, 5))),
                abstract="。".join(chance.choices(WORDS, k=chance.randint(0, 30))),
                value_score=chance.choice([0.0, 20.0, 50.0, 77.7, 100.0]),
                day=chance.randint(0, 3),
                facets={"theme": [chance.choice("abc")]},
            )
            for number in range(120)
        ],
        [],
    )
    return engine


def ask(engine: SearchEngine, beta: float, **asked: object):
    request = SearchRequest("公交 医院", beta=beta, rows=500, facets=(FacetAsk("theme"),), **asked)
    return engine.search(request, PUBLIC)


@pytest.mark.parametrize("beta", BETAS)
def test_the_score_is_text_times_a_bounded_factor(filled, beta):
    text = {hit.id: hit.score for hit in ask(filled, 0.0).hits}
    for hit in ask(filled, beta).hits:
        assert hit.text_score == pytest.approx(text[hit.id], rel=1e-4)
        assert text[hit.id] * 0.9999 <= hit.score <= text[hit.id] * (1 + beta) * 1.0001


@pytest.mark.parametrize("beta", BETAS)
def test_a_clearly_better_text_stays_first_whatever_the_values(filled, beta):
    hits = [hit for hit in ask(filled, beta).hits if not hit.exact]
    assert len(hits) > 20
    for place, hit in enumerate(hits):
        best_after = max((later.text_score for later in hits[place + 1 :]), default=0)
        assert best_after <= hit.text_score * (1 + beta) * 1.0001


def test_equal_texts_go_by_value_then_news_then_code(engine):
    engine.write(
        [
            entry(1, "公交站点", value_score=10.0, day=5, code="B"),
            entry(2, "公交站点", value_score=90.0, code="D"),
            entry(3, "公交站点", value_score=10.0, day=5, code="A"),
            entry(4, "公交站点", value_score=10.0, day=9, code="C"),
        ],
        [],
    )
    for words, beta in (("公交", 0.25), ("公交", 0.0), ("", 0.25), ("", 0.0), ("公交站点", 0.25)):
        hits = engine.search(SearchRequest(words, beta=beta), PUBLIC).hits
        assert [hit.id for hit in hits] == [2, 4, 3, 1]


def test_pages_are_slices_of_one_order(filled):
    for words in ("公交", "公交站点", ""):
        whole = filled.search(SearchRequest(words, rows=500), PUBLIC)
        pages = [
            hit.id
            for start in range(0, 130, 7)
            for hit in filled.search(SearchRequest(words, start=start, rows=7), PUBLIC).hits
        ]
        assert pages == [hit.id for hit in whole.hits]
        assert len(pages) == whole.total


def test_identical_entries_page_in_order_of_code(engine):
    engine.write([entry(n, "公交站点情况", code=f"{999 - n}") for n in range(90)], [])
    pages = [
        hit.id
        for start in range(0, 90, 20)
        for hit in engine.search(SearchRequest("公交", start=start, rows=20), PUBLIC).hits
    ]
    assert pages == list(range(89, -1, -1))


@pytest.mark.parametrize(
    "words", ["公交站点", "公交站點", "220000-00001", "Stops", "bus-stops", " 公交站点！"]
)
def test_an_exact_title_code_or_name_is_first(engine, words):
    engine.write(
        [
            entry(1, "公交站点", name="bus-stops", title_en="STOPS"),
            *(
                entry(
                    number,
                    "公交站点公交站点 stops stop bus",
                    keywords=("公交站点", "bus-stops", "stops", "220000-00001"),
                    value_score=100.0,
                )
                for number in range(2, 30)
            ),
        ],
        [],
    )
    result = engine.search(SearchRequest(words, rows=3), PUBLIC)
    assert (result.hits[0].id, result.hits[0].exact) == (1, True)


def test_an_exact_code_is_found_with_no_word_in_common(engine):
    engine.write([entry(1, "公交站点", code="Z-9"), entry(2, "医院 Z-9 Z-9")], [])
    hits = engine.search(SearchRequest("z-9"), PUBLIC).hits
    assert [(hit.id, hit.exact) for hit in hits] == [(1, True), (2, False)]


def test_value_moves_no_total_and_no_count(filled):
    answers = [ask(filled, beta) for beta in BETAS]
    assert len({answer.total for answer in answers}) == 1
    assert all(answer.facets == answers[0].facets for answer in answers)


def test_browsing_is_by_value_with_the_value_as_score(filled):
    hits = filled.search(SearchRequest(rows=500), PUBLIC).hits
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits[0].score == pytest.approx(1.25)
    assert hits[0].text_score == pytest.approx(1.0)


def test_a_word_in_the_title_counts_more_than_in_the_abstract(engine):
    engine.write(
        [
            entry(1, "企业", abstract="医院医院医院"),
            entry(2, "医院", abstract="企业企业企业"),
            entry(3, "学校", keywords=("医院",)),
        ],
        [],
    )
    hits = engine.search(SearchRequest("医院 "), PUBLIC).hits
    assert [hit.id for hit in hits] == [2, 3, 1]
