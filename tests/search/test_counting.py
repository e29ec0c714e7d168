"""The contract of both engines: a facet's count is exactly what filtering by it then returns."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.engine import SearchEngine
from search.request import FacetAsk, SearchRequest
from tests.search.documents import PUBLIC, entry

FACETS = {"theme": "abcd", "format": "wxyz", "tags": "mnopq", "region": "123"}
TITLES = ("公交站点", "公交线路", "医院床位", "公交医院", "站点")
WORDS = ("", "公交", "站点", "公交站点", "公交 床位", "学校")


def code_sets(codes: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(codes), max_size=3)


ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(TITLES),
        st.fixed_dictionaries({name: code_sets(codes) for name, codes in FACETS.items()}),
        st.sampled_from([PUBLIC, frozenset({"bureau"}), frozenset({"bureau", "public"})]),
    ),
    max_size=25,
)
CHOSEN = st.dictionaries(st.sampled_from(sorted(FACETS)), st.just(None), max_size=2).flatmap(
    lambda names: st.fixed_dictionaries(
        {
            name: st.lists(st.sampled_from(FACETS[name]), min_size=1, max_size=2).map(tuple)
            for name in names
        }
    )
)


def check_counts(engine: SearchEngine, asked: SearchRequest) -> None:
    result = engine.search(asked, PUBLIC)
    for name, counts in result.facets.items():
        assert list(counts) == sorted(counts, key=lambda count: (-count.count, count.code))
        counted = {count.code: count.count for count in counts}
        for code in FACETS[name]:
            filtered = replace(asked, filters={**asked.filters, name: (code,)}, facets=(), rows=100)
            then = engine.search(filtered, PUBLIC)
            assert then.total == counted.get(code, 0) == len(then.hits)


def check(engine: SearchEngine, rows, words, filters, excluded) -> None:
    engine.rebuild(
        entry(number, title, facets=facets, labels=labels)
        for number, (title, facets, labels) in enumerate(rows)
    )
    asks = tuple(FacetAsk(name) for name in FACETS)
    check_counts(engine, SearchRequest(words, filters=filters, excluded=excluded, facets=asks))


def slow(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


ARGUMENTS = {
    "rows": ENTRIES,
    "words": st.sampled_from(WORDS),
    "filters": CHOSEN,
    "excluded": CHOSEN,
}


def test_counts_equal_what_filtering_returns(engine, request):
    examples = 40 if "tantivy" in request.node.name else 4

    @slow(examples)
    @given(**ARGUMENTS)
    def run(rows, words, filters, excluded) -> None:
        check(engine, rows, words, filters, excluded)

    run()


def test_a_facet_leaves_out_its_own_filter_only(engine):
    engine.write(
        [
            entry(1, "一", facets={"theme": ["a"], "format": ["csv"]}),
            entry(2, "二", facets={"theme": ["b"], "format": ["csv"]}),
            entry(3, "三", facets={"theme": ["a"], "format": ["json"]}),
        ],
        [],
    )
    asked = SearchRequest(filters={"theme": ("a",)}, facets=(FacetAsk("theme"), FacetAsk("format")))
    facets = engine.search(asked, PUBLIC).facets
    counts = {name: {c.code: c.count for c in found} for name, found in facets.items()}
    assert counts == {"theme": {"a": 2, "b": 1}, "format": {"csv": 1, "json": 1}}


def test_a_limit_keeps_the_largest_with_ties_by_code(engine):
    tags = [f"t{number:03}" for number in range(150)]
    engine.write([entry(n, "题", facets={"tags": [tag]}) for n, tag in enumerate(tags)], [])
    engine.write([entry(500, "题", facets={"tags": ["t149", "t149"]})], [])
    asked = SearchRequest(facets=(FacetAsk("tags", limit=3), FacetAsk("theme", limit=0)))
    found = engine.search(asked, PUBLIC).facets
    assert [(c.code, c.count) for c in found["tags"]] == [("t149", 2), ("t000", 1), ("t001", 1)]
    assert found["theme"] == ()


def test_codes_of_any_look_are_counted_as_they_are(engine):
    codes = ["001084", "2020-01-01T00:00:00Z", "1e5", "true", "CSV", "csv", "公 交", "a.b:c/d"]
    engine.write([entry(1, "题", facets={"tags": codes})], [])
    found = engine.search(SearchRequest(facets=(FacetAsk("tags"),)), PUBLIC).facets["tags"]
    assert [count.code for count in found] == sorted(codes)
    for code in codes:
        assert engine.search(SearchRequest(filters={"tags": (code,)}), PUBLIC).total == 1
