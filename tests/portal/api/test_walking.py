"""`package_search` walks everything by a cursor, whatever changes meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import orjson
from flask.testing import FlaskClient

from portal.app import create_app
from portal.models import CatalogueEntry
from portal.platform import Platform
from portal.services import index_rebuild, indexer
from portal.services.index_requests import request_index
from portal.services.loading import PackageLoader
from tests.benchmarks.sample import packages
from tests.factories import Catalogue, People

RECORDS = 400


def _load(platform: Platform) -> None:
    lines = (orjson.dumps(package) for package in packages(RECORDS))
    loader = PackageLoader(platform.database, platform.clock, source="sample", reason="测试")
    for _ in loader.load(lines):
        pass
    index_rebuild.rebuild(platform.database, platform.engine, platform.clock)


def _walk(client: FlaskClient, **asked: object) -> Iterator[list[str]]:
    cursor: str | None = ""
    while cursor is not None:
        answer = client.get(
            "/api/3/action/package_search", query_string={**asked, "cursor": cursor, "rows": 40}
        )
        result = answer.json["result"]
        cursor = result["next_cursor"]
        yield [package["name"] for package in result["results"]]


def _change(platform: Platform, round_: int) -> None:
    """Between two pages: some records change their place in every other order, one is retired."""
    with platform.database.writing() as session:
        people = People(platform, session)
        catalogue = Catalogue(platform, session, people)
        for entry_id in range(1 + round_ * 7, RECORDS, 90):
            entry = session.get_one(CatalogueEntry, entry_id)
            entry.value_score = float((entry_id * 13) % 90)
            request_index(session, platform.clock, entry)
        catalogue.published()
    while indexer.index_pending(platform.database, platform.engine, platform.clock):
        pass


def test_a_walk_meets_every_record_once_while_others_write(
    make_platform: Callable[..., Platform],
) -> None:
    searching = make_platform()
    _load(searching)
    client = create_app(searching).test_client()
    met: list[str] = []
    for round_, names in enumerate(_walk(client)):
        met += names
        _change(searching, round_)
    assert len(met) == len(set(met))
    assert {f"bench-{number:06d}" for number in range(RECORDS)} <= set(met)
    filtered = [name for page in _walk(client, fq="res_format:CSV") for name in page]
    counted = client.get("/api/3/action/package_search?fq=res_format:CSV&rows=0").json["result"]
    assert len(filtered) == len(set(filtered)) == counted["count"]


def test_a_cursor_that_was_never_given_out_is_refused(
    make_platform: Callable[..., Platform],
) -> None:
    client = create_app(make_platform()).test_client()
    for query in ("cursor=x", "cursor=9.1", "cursor=0.5&start=3", "cursor=&rows=0"):
        answer = client.get(f"/api/3/action/package_search?{query}")
        assert answer.status_code == 400, query
    assert client.get("/api/3/action/package_search?cursor=").json["result"]["next_cursor"] is None
    assert "next_cursor" not in client.get("/api/3/action/package_search").json["result"]
