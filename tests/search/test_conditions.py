"""The contract of both engines: boolean conditions, scored questions and areas."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.box import Box
from search.clauses import AllOf, AnyOf, Clause, Not
from search.conditions import (
    EVERYTHING,
    NOTHING,
    all_of,
    any_of,
    code_begins,
    depth_of,
    facet_begins,
    has_code,
    has_words,
    in_facet,
    in_field,
    overlaps,
    within,
)
from search.document import SearchDocument
from search.engine import SearchEngine, SearchRefused
from search.query import DEEPEST_NESTING
from search.request import DateRange, SearchRequest
from tests.search.documents import PUBLIC, START, catalogue, entry

CHANGCHUN = Box(124.3, 43.0, 127.1, 45.3)
Fits = Callable[[SearchDocument], bool]


def found(engine: SearchEngine, **asked: object) -> set[int]:
    result = engine.search(SearchRequest(rows=100, **asked), PUBLIC)  # type: ignore[arg-type]
    assert result.total == len(result.hits)
    return {hit.id for hit in result.hits}


def test_an_or_between_different_fields(engine: SearchEngine) -> None:
    engine.write(catalogue(), [])
    theme, form = in_facet("theme", ("social",)), in_facet("format", ("json",))
    assert found(engine, where=any_of((theme, form))) == {1, 2, 4}
    assert found(engine, where=Not(any_of((theme, form)))) == {3, 5, 6, 7}
    assert found(engine, where=any_of((Not(form), theme)), words="公交") == {3}


def test_words_and_fields_mix_in_a_condition(engine: SearchEngine) -> None:
    engine.write(catalogue(), [])
    assert found(engine, where=any_of((has_words("床位"), in_facet("tags", ("线路",))))) == {1, 4}
    assert found(engine, where=in_field("title", "公交站点")) == {3}
    assert found(engine, where=in_field("title", "公交")) == {1, 3}
    assert found(engine, where=in_field("title", "hour", beginning=True)) == {5}
    assert found(engine, where=in_field("abstract", "公交")) == set()
    assert found(engine, where=has_code(("changchun-bus-stops", "220000-00002"))) == {1, 2}
    assert found(engine, where=code_begins("220000-0000")) == {2, 3, 4, 5, 6, 7}
    assert found(engine, where=within(DateRange("modified", START + timedelta(days=6)))) == {1, 4}
    assert found(engine, where=facet_begins("tags", "公")) == {1}
    assert found(engine, where=facet_begins("region", "2202")) == {3}
    assert found(engine, where=Not(facet_begins("format"))) == {6, 7}
    assert found(engine, where=facet_begins("format", ".*")) == set()
    assert found(engine, where=NOTHING) == set()
    assert len(found(engine, where=EVERYTHING)) == 7


def test_a_question_scores_as_words_do(engine: SearchEngine) -> None:
    engine.write(catalogue(), [])
    asked = SearchRequest(question=any_of((has_words("床位"), has_words("公交站点"))), beta=0)
    hits = engine.search(asked, PUBLIC).hits
    assert {hit.id for hit in hits} == {1, 3, 4}
    assert all(hit.score > 0 and not hit.exact for hit in hits)
    beside = SearchRequest(words="公交", question=in_field("title", "线路"))
    assert [hit.id for hit in engine.search(beside, PUBLIC).hits] == [1]


def test_an_area_finds_what_touches_it(engine: SearchEngine) -> None:
    places = {
        1: CHANGCHUN,
        2: Box(128.0, 41.5, 131.5, 44.0),
        3: Box(121.5, 40.8, 131.4, 46.4),
        4: None,
        5: Box(125.3, 43.9, 125.3, 43.9),
    }
    engine.write([entry(n, "题", area=box) for n, box in places.items()], [])
    assert found(engine, area=CHANGCHUN) == {1, 3, 5}
    assert found(engine, area=Box(127.1, 45.3, 127.2, 45.4)) == {1, 3}
    assert found(engine, area=Box(-10, -10, 10, 10)) == set()
    assert found(engine, where=Not(overlaps(CHANGCHUN))) == {2, 4}


@pytest.mark.parametrize("sides", [(2, 0, 1, 0), (0, 2, 0, 1), (-181, 0, 0, 0), (0, 0, 0, 91)])
def test_a_box_that_is_none(sides: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="a box needs"):
        Box(*sides)


def test_a_condition_may_be_as_deep_as_said_and_no_deeper(engine: SearchEngine) -> None:
    engine.write(catalogue(), [])
    clause: Clause = in_facet("theme", ("social",))
    while depth_of(clause) < DEEPEST_NESTING:
        clause = Not(clause)
    assert found(engine, where=clause) == {1, 3, 4, 5, 6, 7}
    with pytest.raises(SearchRefused, match="nested"):
        found(engine, where=Not(clause))


def test_a_condition_of_a_field_that_is_none() -> None:
    with pytest.raises(SearchRefused, match="unknown facet"):
        in_facet("colour", ("red",))
    with pytest.raises(SearchRefused, match="unknown range"):
        within(DateRange("colour"))
    with pytest.raises(SearchRefused, match="unknown text"):
        in_field("colour", "红")


THEMES, FORMATS = "abc", "xyz"
DOCUMENTS = st.lists(
    st.tuples(st.sampled_from(THEMES), st.sampled_from(FORMATS), st.integers(0, 5)), max_size=12
)


def _leaf(kind: str, value: str | int) -> tuple[Clause, Fits]:
    if kind == "day":
        span = DateRange("modified", START + timedelta(days=int(value)))
        return within(span), lambda one: one.modified >= START + timedelta(days=int(value))
    return in_facet(kind, (str(value),)), lambda one: str(value) in one.facets[kind]


LEAVES = st.one_of(
    st.tuples(st.just("theme"), st.sampled_from(THEMES)),
    st.tuples(st.just("format"), st.sampled_from(FORMATS)),
    st.tuples(st.just("day"), st.integers(0, 5)),
).map(lambda pair: _leaf(*pair))


def _joined(children: st.SearchStrategy[tuple[Clause, Fits]]) -> st.SearchStrategy:
    several = st.lists(children, min_size=1, max_size=3)
    return st.one_of(
        children.map(lambda one: (Not(one[0]), lambda d: not one[1](d))),
        several.map(
            lambda of: (all_of(c for c, _ in of), lambda d: all(fits(d) for _, fits in of))
        ),
        several.map(
            lambda of: (any_of(c for c, _ in of), lambda d: any(fits(d) for _, fits in of))
        ),
    )


CONDITIONS = st.recursive(LEAVES, _joined, max_leaves=8).filter(
    lambda one: depth_of(one[0]) <= DEEPEST_NESTING
)


def test_any_nesting_finds_exactly_what_it_says(
    engine: SearchEngine, request: pytest.FixtureRequest
) -> None:
    @settings(
        max_examples=40 if "tantivy" in request.node.name else 6,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(DOCUMENTS, st.lists(CONDITIONS, min_size=1, max_size=6))
    def run(rows: list[tuple[str, str, int]], conditions: list[tuple[Clause, Fits]]) -> None:
        documents = [
            entry(n, "题", day=day, facets={"theme": [theme], "format": [form]})
            for n, (theme, form, day) in enumerate(rows)
        ]
        engine.rebuild(documents)
        for clause, fits in conditions:
            assert found(engine, where=clause) == {one.id for one in documents if fits(one)}

    run()


def test_joining_one_or_none() -> None:
    clause = in_facet("theme", ("a",))
    assert all_of((clause,)) == any_of((clause,)) == clause
    assert all_of(()) == EVERYTHING
    assert any_of(()) == NOTHING
    assert depth_of(AllOf((clause,))) == depth_of(AnyOf((clause,))) == 2
