"""The contract of both engines: an index is built beside the live one, and a build is gone on with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from search import elasticsearch_build, tantivy_build
from search.building import BEFORE_ALL
from search.engine import SearchEngine
from search.engines import open_engine
from search.request import SearchRequest
from tests.search.documents import PUBLIC, catalogue, entry


@pytest.fixture
def other(
    request: pytest.FixtureRequest, engine: SearchEngine, tmp_path: Path
) -> Iterator[SearchEngine]:
    """The same index, opened by another process's engine."""
    url = index = ""
    if request.node.callspec.params["engine"] == "elasticsearch":
        url = request.getfixturevalue("elasticsearch_url")
        index = request.getfixturevalue("elasticsearch_prefix")
    with closing(open_engine(url, tmp_path / "index", index=index or "unused")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def kept_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tantivy_build, "_COMMIT_EVERY", 10)
    monkeypatch.setattr(elasticsearch_build, "_KEEP_EVERY", 10)


def titles(engine: SearchEngine) -> dict[int, str]:
    hits = engine.search(SearchRequest(rows=200), PUBLIC).hits
    return {hit.id: hit.stored["title"] for hit in hits}


def add(engine: SearchEngine, build, numbers: range, title: str = "建") -> None:
    build.add([engine.prepare(entry(n, title)) for n in numbers], numbers[-1])


def test_what_is_written_while_an_index_is_built_is_in_it(engine, other):
    engine.write([entry(n, "旧") for n in range(1, 6)], [])
    with engine.build() as build:
        add(engine, build, range(1, 4))
        other.write(
            [entry(2, "改", version=2), entry(5, "改", version=2), entry(9, "新")], [(3, 2)]
        )
        assert titles(other) == {1: "旧", 2: "改", 4: "旧", 5: "改", 9: "新"}
        add(engine, build, range(4, 6))
        assert build.publish() == 5
    assert titles(other) == titles(engine) == {1: "建", 2: "改", 4: "建", 5: "改", 9: "新"}
    other.write([entry(3, "旧")], [])
    assert 3 not in titles(engine), "the removal is remembered in the new index"


def test_a_build_goes_on_where_its_builder_was_killed(engine, other):
    engine.write(catalogue(), [])
    with engine.build() as build:
        assert build.stands_at == BEFORE_ALL
        add(engine, build, range(1, 31))
        assert build.stands_at == 30
        build.add([engine.prepare(entry(31, "未存"))], 31)
    assert len(titles(other)) == 7
    other.write([entry(4, "改", version=2), entry(60, "新")], [(5, 2)])
    with other.build() as build:
        stood = build.stands_at
        assert 30 <= stood <= 31
        add(other, build, range(stood + 1, 51))
        assert build.publish() == 50
    found = titles(engine)
    assert len(found) == 50
    assert (found[4], found[60], found.get(5)) == ("改", "新", None)


def test_a_build_can_be_begun_anew(engine):
    with engine.build() as build:
        add(engine, build, range(1, 21))
    with engine.build(resume=False) as build:
        assert build.stands_at == BEFORE_ALL
        add(engine, build, range(1, 3))
        assert build.publish() == 2
    assert sorted(titles(engine)) == [1, 2]


def test_an_abandoned_build_leaves_the_live_index(engine):
    engine.write(catalogue(), [])
    with engine.build() as build:
        add(engine, build, range(1, 21))
        build.abandon()
    engine.write([entry(8, "题")], [])
    assert len(titles(engine)) == 8
    with engine.build() as build:
        assert build.stands_at == BEFORE_ALL
        build.abandon()


def test_a_document_that_cannot_be_made_is_named_and_the_others_are_written(engine):
    refused = engine.write([entry(8, "题"), entry(9, "题", value_score="high")], [])
    assert list(refused) == [9]
    assert sorted(titles(engine)) == [8]


def test_versions_of_some(engine):
    engine.write([entry(n, "题", version=n) for n in range(1, 6)], [(4, 9)])
    assert [(v.id, v.version) for v in engine.versions([2, 4, 5, 77])] == [(2, 2), (5, 5)]
