"""Which engine a setting opens."""

from __future__ import annotations

from contextlib import closing

import pytest

from search.elasticsearch_engine import ElasticsearchEngine
from search.elasticsearch_layout import IndexLayout
from search.engine import SearchUnavailable
from search.engines import open_engine
from search.request import SearchRequest
from search.tantivy_engine import TantivyEngine
from tests.search.documents import PUBLIC, entry


def test_the_url_chooses(tmp_path):
    assert isinstance(open_engine("", tmp_path), TantivyEngine)
    assert isinstance(open_engine("http://127.0.0.1:1/?index=a", tmp_path), ElasticsearchEngine)
    assert isinstance(open_engine("https://user:secret@search", tmp_path), ElasticsearchEngine)
    several = open_engine("http://a:9200, http://b:9200?index=x", tmp_path)
    assert isinstance(several, ElasticsearchEngine)


@pytest.mark.parametrize("url", ["127.0.0.1:9200", "ftp://host", "http://", "http://h?index=A*", ",",
                                 "http://a:9200,b:9200"])  # fmt: skip
def test_a_wrong_url_is_refused(url, tmp_path):
    with pytest.raises(ValueError, match=r"SEARCH_URL|index name"):
        open_engine(url, tmp_path)


def test_an_engine_that_does_not_answer_says_so(tmp_path):
    engine = open_engine("http://127.0.0.1:1", tmp_path)
    calls = [
        lambda: engine.search(SearchRequest("公交"), PUBLIC),
        lambda: engine.suggest("公交", PUBLIC),
        lambda: engine.write([entry(1, "公交")], []),
        lambda: engine.rebuild([entry(1, "公交")]),
        lambda: list(engine.versions()),
        engine.ping,
    ]
    for call in calls:
        with pytest.raises(SearchUnavailable):
            call()


def test_a_node_that_does_not_answer_is_passed_over(
    elasticsearch_url: str, elasticsearch_prefix: str, tmp_path
):
    hosts = f"http://127.0.0.1:1,{elasticsearch_url}"
    with closing(open_engine(hosts, tmp_path, index=elasticsearch_prefix)) as engine:
        engine.write([entry(1, "公交")], [])
        for _ in range(4):
            assert engine.search(SearchRequest("公交"), PUBLIC).total == 1


def test_a_layout_that_no_cluster_takes_is_refused():
    for wrong in ({"shards": 0}, {"replicas": "many"}, {"refresh": "soon"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            IndexLayout(**wrong)
