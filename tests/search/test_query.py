"""The neutral query is pure and carries its viewer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from search.clauses import Not, Range, Terms, Text
from search.engine import SearchRefused
from search.query import build_query
from search.request import DateRange, SearchRequest


def test_no_query_without_a_viewer():
    with pytest.raises(TypeError):
        build_query(SearchRequest())
    assert build_query(SearchRequest(), frozenset()).filters == (Terms("labels", ()),)


def test_browsing_has_no_text_and_no_top_tier():
    query = build_query(SearchRequest(), frozenset({"public"}))
    assert (query.text, query.exact, query.matched) == (None, None, ())


def test_words_have_a_top_tier_of_exact_titles_and_codes():
    query = build_query(SearchRequest("公交 站點"), frozenset({"public"}))
    assert query.exact == Terms("exact", ("公交 站点",))
    assert query.text == Text("公交 站點", 0)


def test_filters():
    request = SearchRequest(
        filters={"theme": ("health",)},
        excluded={"state": ("archived",)},
        excluded_ids=frozenset({3, 1}),
        ranges=(DateRange("created", start=datetime(1970, 1, 2, tzinfo=UTC)),),
    )
    query = build_query(request, frozenset({"public"}))
    assert query.facet_filters == {"theme": Terms("facets.theme", ("health",))}
    assert query.filters == (
        Terms("labels", ("public",)),
        Not(Terms("id", (1, 3))),
        Range("created", 86_400_000_000, None),
        Not(Terms("facets.state", ("archived",))),
    )
    assert query.all_filters(but="theme") == query.filters


def test_an_unknown_facet_is_named():
    with pytest.raises(SearchRefused, match="colour"):
        build_query(SearchRequest(filters={"colour": ()}), frozenset())
