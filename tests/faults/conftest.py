"""Servers of the faults' own: they are stopped, which the shared ones must not be."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest

from portal.platform import Platform
from tests.services.fixtures import NodeMaker
from tests.services.nodes import ElasticsearchNode


@pytest.fixture(scope="module")
def stoppable_elasticsearch(
    elasticsearch_node: NodeMaker[ElasticsearchNode],
) -> Iterator[ElasticsearchNode]:
    with elasticsearch_node() as node:
        yield node


@pytest.fixture
def elasticsearch(stoppable_elasticsearch: ElasticsearchNode) -> ElasticsearchNode:
    """The module's server, running, whatever the test before did to it."""
    if not _answers(stoppable_elasticsearch):
        stoppable_elasticsearch.stop()
        stoppable_elasticsearch.start()
    return stoppable_elasticsearch


def _answers(node: ElasticsearchNode) -> bool:
    try:
        return node.answers()
    except OSError:
        return False


@pytest.fixture
def search_url(elasticsearch: ElasticsearchNode) -> str:
    """An address with an index of the test's own."""
    return f"{elasticsearch.url}/?index=fault-{secrets.token_hex(4)}"


@pytest.fixture(params=["embedded", pytest.param("elasticsearch", marks=pytest.mark.elasticsearch)])
def searching(request: pytest.FixtureRequest, make_platform: Callable[..., Platform]) -> Platform:
    """A platform on each engine."""
    if request.param == "embedded":
        return make_platform()
    url = request.getfixturevalue("elasticsearch_url")
    return make_platform(search_url=f"{url}/?index=fault-{secrets.token_hex(4)}")
