"""What only Elasticsearch has: aliases, builds beside the live index, another's index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from search.elasticsearch_engine import ElasticsearchEngine
from search.elasticsearch_layout import IndexLayout
from search.engine import SearchFull, SearchUnavailable
from search.engines import open_engine
from search.request import FacetAsk, SearchRequest
from tests.search.documents import PUBLIC, catalogue, entry

pytestmark = pytest.mark.elasticsearch


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with closing(Elasticsearch(elasticsearch_url)) as opened:
        yield opened


@pytest.fixture
def live(elasticsearch_url: str, elasticsearch_prefix: str) -> Iterator[ElasticsearchEngine]:
    with closing(ElasticsearchEngine(elasticsearch_url, elasticsearch_prefix)) as opened:
        yield opened


def total(engine: ElasticsearchEngine) -> int:
    return engine.search(SearchRequest(), PUBLIC).total


def test_one_index_stands_behind_the_alias(live, client, elasticsearch_prefix):
    live.write(catalogue(), [])
    for _ in range(2):
        live.rebuild(catalogue())
    assert len(client.indices.get(index=f"{elasticsearch_prefix}*").body) == 1


def test_a_write_during_a_build_is_in_the_new_index(live, elasticsearch_url, elasticsearch_prefix):
    live.write(catalogue(), [])
    other = ElasticsearchEngine(elasticsearch_url, elasticsearch_prefix)

    def documents():
        yield from catalogue()
        other.write([entry(1, "后来的题", version=2), entry(90, "新")], [(2, 5)])

    live.rebuild(documents())
    versions = {each.id: each.version for each in live.versions()}
    assert versions == {1: 2, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1, 90: 1}
    other.close()


def test_a_removed_index_is_missed_once_and_then_made_anew(live, client, elasticsearch_prefix):
    live.write(catalogue(), [])
    client.indices.delete(index=f"{elasticsearch_prefix}-first")
    with pytest.raises(SearchUnavailable):
        live.write(catalogue(), [])  # no index springs up with a guessed mapping
    assert client.indices.get(index=f"{elasticsearch_prefix}*").body == {}
    live.write(catalogue()[:2], [])
    assert total(live) == 2
    assert live.rebuild(catalogue()) == total(live) == 7


def test_an_index_of_another_release_asks_for_a_rebuild(live, client, elasticsearch_prefix):
    client.indices.create(index=f"{elasticsearch_prefix}-old", aliases={elasticsearch_prefix: {}})
    with pytest.raises(SearchUnavailable, match="rebuild"):
        total(live)
    assert live.rebuild(catalogue()) == total(live) == 7


def test_scores_are_those_of_the_embedded_engine(live, tmp_path: Path):
    live.write(catalogue(), [])
    with closing(open_engine("", tmp_path)) as embedded:
        embedded.write(catalogue(), [])
        for words in (
            "公交",
            "长春市公交线路",
            "低保 名单",
            "pm2.5",
            "看病",
            "gongjiao",
            "2201",
            "公交 床位",
        ):
            ours, theirs = (
                [(hit.id, hit.exact) for hit in one.search(SearchRequest(words), PUBLIC).hits]
                for one in (embedded, live)
            )
            assert ours == theirs


def test_shards_replicas_and_refresh_are_settings(
    client, elasticsearch_url, elasticsearch_prefix, tmp_path: Path
):
    """Several shards change neither counts nor order; replicas follow the setting at once."""
    layout = IndexLayout(shards=3, replicas="0", refresh="200ms")
    facets = (FacetAsk("theme"), FacetAsk("tags", limit=1))
    with (
        closing(ElasticsearchEngine(elasticsearch_url, elasticsearch_prefix, layout)) as spread,
        closing(open_engine("", tmp_path)) as embedded,
    ):
        for engine in (spread, embedded):
            engine.write(catalogue(), [])
        for words in ("", "公交", "长春市公交线路", "低保 名单"):
            asked = SearchRequest(words, facets=facets)
            ours, theirs = (one.search(asked, PUBLIC) for one in (spread, embedded))
            assert [hit.id for hit in ours.hits] == [hit.id for hit in theirs.hits]
            assert ours.facets == theirs.facets
    name = f"{elasticsearch_prefix}-first"
    found = client.indices.get_settings(index=name, flat_settings=True)[name]["settings"]
    assert found["index.number_of_shards"] == "3"
    assert found["index.refresh_interval"] == "200ms"
    other = ElasticsearchEngine(elasticsearch_url, elasticsearch_prefix, IndexLayout(replicas="1"))
    with closing(other):
        assert total(other) == 7
    found = client.indices.get_settings(index=name, flat_settings=True)[name]["settings"]
    assert found["index.number_of_replicas"] == "1"


def test_a_full_disk_is_named_and_recovered_from(live, client, elasticsearch_prefix):
    """The block is the one that the flood stage of the disk puts on an index."""
    live.write(catalogue(), [])
    block = {"index.blocks.read_only_allow_delete": True}
    client.indices.put_settings(index=elasticsearch_prefix, settings=block)
    assert live.is_full()
    with pytest.raises(SearchFull, match="disk"):
        live.write([entry(8, "题")], [])
    assert total(live) == 7
    client.indices.put_settings(
        index=elasticsearch_prefix, settings={"index.blocks.read_only_allow_delete": None}
    )
    live.write([entry(8, "题")], [])
    assert (total(live), live.is_full()) == (8, False)
