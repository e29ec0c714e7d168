"""All filters at once against a plain model: what is found, and each facet's counts, on both engines.

Any of the codes within a facet, all of the facets; a chosen facet still counts its other values; a
region's entries are those of its parts too; dates, areas and conditions narrow everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.box import Box
from search.clauses import Not
from search.conditions import in_facet
from search.document import SearchDocument
from search.engine import SearchEngine
from search.request import DateRange, FacetAsk, SearchRequest, Sort
from tests.search.documents import PUBLIC, START, entry

TREE = {"220102": "220100", "220104": "220100", "220100": "220000", "220200": "220000"}
CODES = {
    "theme": ("a", "b", "c"),
    "format": ("csv", "json"),
    "region": ("220000", "220100", "220102", "220104", "220200"),
}


def region_path(code: str) -> list[str]:
    return [code, *region_path(TREE[code])] if code in TREE else [code]


def box(place: tuple[int, int, int]) -> Box:
    west, south, size = place
    return Box(west, south, west + size, south + size)


PLACES = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 3))
DOCUMENTS = st.lists(
    st.fixed_dictionaries(
        {
            "theme": st.lists(st.sampled_from(CODES["theme"]), max_size=2),
            "format": st.lists(st.sampled_from(CODES["format"]), max_size=2),
            "region": st.sampled_from(CODES["region"]),
            "day": st.integers(0, 6),
            "place": st.none() | PLACES,
            "is_public": st.booleans(),
        }
    ),
    max_size=20,
)
CHOICES = st.fixed_dictionaries(
    {},
    optional={
        name: st.lists(st.sampled_from(codes), min_size=1, max_size=3, unique=True).map(tuple)
        for name, codes in CODES.items()
    },
)
ASKED = st.fixed_dictionaries(
    {
        "filters": CHOICES,
        "days": st.none() | st.tuples(st.integers(0, 6), st.integers(0, 6)).map(sorted),
        "area": st.none() | PLACES,
        "without": st.none() | st.sampled_from(CODES["theme"]),
        "denied": st.frozensets(st.integers(0, 19), max_size=2),
    }
)


def made(number: int, given_: Mapping[str, Any]) -> SearchDocument:
    return entry(
        number,
        "题",
        labels=PUBLIC if given_["is_public"] else frozenset({"bureau"}),
        updated=START + timedelta(days=given_["day"]),
        area=box(given_["place"]) if given_["place"] else None,
        facets={
            "theme": given_["theme"],
            "format": given_["format"],
            "region": region_path(given_["region"]),
        },
    )


def request_of(asked: Mapping[str, Any]) -> SearchRequest:
    ranges = ()
    if asked["days"]:
        first, last = asked["days"]
        ranges = (DateRange("updated", START + timedelta(first), START + timedelta(last + 1)),)
    return SearchRequest(
        filters=asked["filters"],
        ranges=ranges,
        area=box(asked["area"]) if asked["area"] else None,
        where=Not(in_facet("theme", (asked["without"],))) if asked["without"] else None,
        excluded_ids=asked["denied"],
        facets=tuple(FacetAsk(name) for name in CODES),
        rows=100,
    )


def fits(one: SearchDocument, asked: Mapping[str, Any], but: str = "") -> bool:
    """Say whether an entry answers to everything that is asked, facet `but` aside."""
    assert one.updated is not None
    day = (one.updated - START).days
    chosen = (
        not set(codes).isdisjoint(one.facets[name])
        for name, codes in asked["filters"].items()
        if name != but
    )
    return (
        "public" in one.labels
        and one.id not in asked["denied"]
        and (asked["without"] is None or asked["without"] not in one.facets["theme"])
        and (asked["days"] is None or asked["days"][0] <= day <= asked["days"][1])
        and (asked["area"] is None or _touches(one.area, box(asked["area"])))
        and all(chosen)
    )


def _touches(one: Box | None, other: Box) -> bool:
    return one is not None and (
        one.west <= other.east
        and one.east >= other.west
        and one.south <= other.north
        and one.north >= other.south
    )


def test_what_is_found_and_counted_is_what_fits(
    engine: SearchEngine, request: pytest.FixtureRequest
) -> None:
    embedded = "tantivy" in request.node.name

    @settings(
        max_examples=40 if embedded else 5,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(DOCUMENTS, st.lists(ASKED, min_size=1, max_size=4), st.sampled_from(list(Sort)))
    def run(rows: list[dict[str, Any]], questions: list[dict[str, Any]], sort: Sort) -> None:
        documents = [made(number, row) for number, row in enumerate(rows)]
        engine.rebuild(documents)
        for asked in questions:
            check(engine, documents, asked, sort)

    run()


def check(
    engine: SearchEngine, documents: list[SearchDocument], asked: Mapping[str, Any], sort: Sort
) -> None:
    result = engine.search(request_of({**asked, "sort": sort}), PUBLIC)
    assert {hit.id for hit in result.hits} == {one.id for one in documents if fits(one, asked)}
    assert result.total == len(result.hits)
    for name in CODES:
        counted = {count.code: count.count for count in result.facets[name]}
        expected = Counter(
            code
            for one in documents
            if fits(one, asked, but=name)
            for code in dict.fromkeys(one.facets[name])
        )
        assert counted == expected, name
        for code in counted:  # choosing it alone finds as many as are counted
            alone = {**asked, "filters": {**asked["filters"], name: (code,)}}
            assert sum(fits(one, alone) for one in documents) == counted[code]
