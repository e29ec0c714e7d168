"""What holds of every ranking, whatever the collection, the values and the words.

domain: high value lifts a text score by a bounded factor; it filters nothing and buries nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.document import SearchDocument
from search.engine import SearchEngine
from search.request import FacetAsk, SearchRequest, SearchResult
from tests.search.documents import PUBLIC, START, entry

WORDS = ("公交", "站点", "医院", "床位", "线路", "公交站点")
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map("".join)
ROWS = st.lists(
    st.tuples(TEXTS, TEXTS, st.floats(0, 100).map(lambda v: round(v, 1)), st.integers(0, 3)),
    min_size=1,
    max_size=25,
)
QUERIES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=2).map(" ".join)
BETAS = st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0, 0.33])
CLOSE = 1e-4


def documents_of(rows: list[tuple[str, str, float, int]]) -> list[SearchDocument]:
    return [
        entry(n, title, abstract=abstract, value_score=value, day=day, facets={"tags": [title[:2]]})
        for n, (title, abstract, value, day) in enumerate(rows)
    ]


def asked(words: str, beta: float, **more: object) -> SearchRequest:
    literal = SearchRequest(words, beta=beta, rows=100, as_typed=True, thesaurus=False)
    return replace(literal, **more)  # type: ignore[arg-type]


def tier(result: SearchResult, place: int) -> int:
    """Return 0 for an exact title, 1 for what holds every word, 2 for what holds some of them."""
    if result.hits[place].exact:
        return 0
    return 1 if result.whole is None or place < result.whole else 2


def check_scores(result: SearchResult, beta: float, values: dict[int, float]) -> None:
    for hit in result.hits:
        assert hit.text_score is not None
        final = hit.text_score * (1 + beta * values[hit.id] / 100)
        assert hit.score == pytest.approx(final, rel=CLOSE)
    tiers = [tier(result, place) for place in range(len(result.hits))]
    assert tiers == sorted(tiers), "an exact title is first, always"
    for place, (before, after) in enumerate(pairwise(result.hits)):
        if tiers[place] == tiers[place + 1]:
            assert before.score >= after.score * (1 - CLOSE)


def check_order(result: SearchResult, beta: float, values: dict[int, float]) -> None:
    for place, first in enumerate(result.hits):
        for further, second in enumerate(result.hits[place + 1 :], start=place + 1):
            if tier(result, place) != tier(result, further):
                continue
            assert first.text_score is not None
            assert second.text_score is not None
            clearly_better = second.text_score > first.text_score * (1 + beta) * (1 + CLOSE)
            assert not clearly_better, "value never buries a clearly better text"
            if first.text_score == pytest.approx(second.text_score, rel=1e-9) and beta:
                assert values[first.id] >= values[second.id] - 0.1, "equal texts go by value"


def test_the_invariants_of_ranking(engine: SearchEngine, request: pytest.FixtureRequest) -> None:
    @settings(
        max_examples=25 if "tantivy" in request.node.name else 5,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(ROWS, QUERIES, BETAS)
    def run(rows: list[tuple[str, str, float, int]], words: str, beta: float) -> None:
        documents = documents_of(rows)
        values = {one.id: one.value_score for one in documents}
        engine.rebuild(documents)
        facets = (FacetAsk("tags"),)
        result = engine.search(asked(words, beta, facets=facets), PUBLIC)
        check_scores(result, beta, values)
        check_order(result, beta, values)
        plain = engine.search(asked(words, 0.0, facets=facets), PUBLIC)
        assert (plain.total, plain.facets) == (result.total, result.facets)
        assert {hit.id for hit in plain.hits} == {hit.id for hit in result.hits}
        check_pages(engine, asked(words, beta), result)

    run()


def check_pages(engine: SearchEngine, request: SearchRequest, whole: SearchResult) -> None:
    pages: list[int] = []
    for start in range(0, whole.total, 7):
        page = engine.search(replace(request, start=start, rows=7), PUBLIC)
        pages += [hit.id for hit in page.hits]
    assert pages == [hit.id for hit in whole.hits]


def test_age_and_marks_move_nothing(engine: SearchEngine) -> None:
    """Freshness counts through the value score alone; an objection is a mark in what is stored."""
    rows = [
        ("公交站点", "线路", 40.0, 0),
        ("公交线路", "站点", 40.0, 0),
        ("医院公交", "线路", 80.0, 0),
    ]
    engine.rebuild(documents_of(rows))
    before = [(hit.id, hit.score) for hit in engine.search(asked("公交", 0.25), PUBLIC).hits]
    aged = [
        replace(
            one,
            version=2,
            created=START - timedelta(days=900 * one.id),
            stored={**one.stored, "under_objection": True},
        )
        for one in documents_of(rows)
    ]
    engine.rebuild(aged)
    after = [(hit.id, hit.score) for hit in engine.search(asked("公交", 0.25), PUBLIC).hits]
    assert after == before
