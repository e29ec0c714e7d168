"""The registry of facets."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from search.engine import SearchEngine
from search.engines import open_engine
from search.facets import FACETS, Facet, register_facet
from search.request import FacetAsk, FacetCount, SearchRequest
from tests.search.documents import PUBLIC, entry

STARS = Facet("stars", "星级", "Stars")


@pytest.fixture
def stars():
    yield register_facet(STARS)
    FACETS.pop("stars", None)


def test_the_built_in_facets():
    assert set(FACETS) == {
        "theme", "organisation", "region", "open_type", "format", "update_frequency",
        "licence", "share_type", "tags", "state",
    }  # fmt: skip


def test_a_name_is_registered_once(stars):
    assert register_facet(STARS) == STARS
    with pytest.raises(ValueError, match="stars"):
        register_facet(Facet("stars", "别的", "Other"))


@pytest.mark.parametrize("name", ["", "Stars", "a.b", "a-b", "a" * 50])
def test_names_are_plain(name):
    with pytest.raises(ValueError, match="facet name"):
        Facet(name, "", "")


def test_a_facet_may_be_added_to_an_index_that_stands(engine: SearchEngine):
    engine.write([entry(1, "旧")], [])
    try:
        register_facet(STARS)
        engine.write([entry(2, "新", facets={"stars": ["5"], "unregistered": ["x"]})], [])
        asked = SearchRequest(facets=(FacetAsk("stars"),), filters={"stars": ("5",)})
        result = engine.search(asked, PUBLIC)
        assert [hit.id for hit in result.hits] == [2]
        assert result.facets["stars"] == (FacetCount("5", 1),)
    finally:
        FACETS.pop("stars", None)


def test_the_order_of_registration_does_not_matter_to_a_new_index(stars, tmp_path: Path):
    with closing(open_engine("", tmp_path)) as engine:
        engine.write([entry(1, "题", facets={"stars": ["4"]})], [])
        assert engine.search(SearchRequest(filters={"stars": ("4",)}), PUBLIC).total == 1
