"""The search engine's disk is full: said where operators look, and mended by itself."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest

from portal.app import create_app
from portal.platform import Platform
from portal.services import index_check, indexer
from search.engine import SearchFull
from tests.faults.working import committing, found_ids, index_everything, running_worker, wait_until
from tests.services.nodes import DIRECT


@pytest.mark.elasticsearch
def test_a_full_disk_is_reported_and_recovered_from(
    elasticsearch_url: str, make_platform: Callable[..., Platform]
) -> None:
    index = f"full-{secrets.token_hex(4)}"
    platform = make_platform(search_url=f"{elasticsearch_url}/?index={index}")
    client = create_app(platform).test_client()
    with committing(platform) as catalogue:
        before = catalogue.published().id
    index_everything(platform)
    _block(elasticsearch_url, index, blocked=True)
    with committing(platform) as catalogue:
        after = catalogue.published().id
    with pytest.raises(SearchFull, match="disk"):
        indexer.index_pending(platform.database, platform.engine, platform.clock)
    health = client.get("/health").json
    assert (health["search"], health["index_pending"], health["index_quarantined"]) == (
        "full",
        1,
        0,
    )
    assert found_ids(platform) == {before}
    with running_worker(platform):
        _block(elasticsearch_url, index, blocked=False)
        wait_until(lambda: found_ids(platform) == {before, after}, 15)
    assert client.get("/health").json["search"] == "ok"
    assert index_check.check(platform.database, platform.engine).is_empty


def _block(url: str, index: str, *, blocked: bool) -> None:
    """Put or lift the block that Elasticsearch puts on its indices at the flood stage."""
    value = True if blocked else None
    settings = {"index.blocks.read_only_allow_delete": value}
    DIRECT.put(f"{url}/{index}/_settings", json=settings, timeout=30).raise_for_status()
