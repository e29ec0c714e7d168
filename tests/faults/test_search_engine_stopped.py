"""Elasticsearch goes away: publishing goes on, readers are told, nothing is missing afterwards."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psutil
import pytest
from sqlalchemy import select

from portal.app import create_app
from portal.errors import Unavailable
from portal.models import CatalogueEntry, SearchDenial
from portal.models.distribution import list_distributions
from portal.platform import Platform
from portal.services import index_check, indexer
from search.engine import SearchUnavailable
from tests.factories import Catalogue, People, content
from tests.faults.cutting_proxy import cutting
from tests.faults.working import (
    committing,
    found_ids,
    index_everything,
    running_worker,
    search,
    wait_until,
)
from tests.services.nodes import ElasticsearchNode

TITLE = "全省松花江水质自动监测站小时数据"


@pytest.mark.slow
def test_publication_goes_on_without_the_engine_and_is_found_when_it_is_back(
    elasticsearch: ElasticsearchNode,
    search_url: str,
    make_platform: Callable[..., Platform],
    database_kind: str,
) -> None:
    platform = make_platform(database_kind, search_url=search_url)
    client = create_app(platform).test_client()
    with running_worker(platform):
        with committing(platform) as catalogue:
            place = catalogue.opened()
            earlier_id, slug = place.entry_id, place.entry.slug
            (file,) = list_distributions(catalogue._session, earlier_id)
            download = f"/dataset/{slug}/resource/{file.public_id}/download/x.csv"
        wait_until(lambda: found_ids(platform) == {earlier_id}, 10)
        elasticsearch.stop()
        with committing(platform) as catalogue:
            entry = catalogue.published(content(title=TITLE))
            entry_id, entry_slug = entry.id, entry.slug
        with pytest.raises(Unavailable, match="检索服务暂时不可用"):
            search(platform, TITLE)
        health = client.get("/health")
        assert (health.status_code, health.json["search"]) == (200, "unavailable")
        refused = client.get("/dataset", query_string={"q": TITLE})
        assert refused.status_code == 503
        assert "检索服务暂时不可用" in refused.text
        assert client.get("/api/3/action/package_search?q=x").status_code == 503
        for path in ("/", "/login", f"/dataset/{slug}", f"/dataset/{entry_slug}", download):
            assert client.get(path).status_code == 200, path
        elasticsearch.start()
        assert wait_until(lambda: _finds(platform, entry_id), 10) < 10
        wait_until(lambda: client.get("/health").json["index_pending"] == 0, 10)
    assert index_check.check(platform.database, platform.engine).is_empty


def _finds(platform: Platform, entry_id: int) -> bool:
    try:
        return entry_id in found_ids(platform, TITLE)
    except Unavailable:
        return False


@contextmanager
def _frozen(node: ElasticsearchNode) -> Iterator[None]:
    """The server accepts connections and never answers, as one in a long collection does."""
    pid = int((node.folder / "service.pid").read_text())
    group = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for process in group:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in group:
            process.send_signal(signal.SIGCONT)


@pytest.mark.slow
def test_a_server_that_hangs_is_said_to_be_unavailable_and_holds_nothing_up_for_long(
    elasticsearch: ElasticsearchNode, search_url: str, make_platform: Callable[..., Platform]
) -> None:
    platform = make_platform(search_url=search_url)
    with committing(platform) as catalogue:
        entry_id = catalogue.published().id
    index_everything(platform)
    with _frozen(elasticsearch):
        with pytest.raises(Unavailable):
            search(platform)
        with committing(platform) as catalogue:
            second = catalogue.published().id
        with pytest.raises(SearchUnavailable):
            indexer.index_pending(platform.database, platform.engine, platform.clock)
    index_everything(platform)
    assert found_ids(platform) == {entry_id, second}


@pytest.mark.slow
def test_no_cut_connection_loses_or_keeps_an_entry(
    elasticsearch: ElasticsearchNode, search_url: str, make_platform: Callable[..., Platform]
) -> None:
    """Connections break after a random number of bytes, both before and after the server acted."""
    chance = random.Random(4)
    index = urlsplit(search_url).query
    with cutting(elasticsearch.port, lambda: chance.randrange(1, 20_000)) as proxy:
        platform = make_platform(search_url=f"{proxy.url}/?{index}")
        public: list[int] = []
        for _ in range(120):
            _change(platform, chance, public)
            _try_to_index(platform)
        assert proxy.cuts > 20
    direct = make_platform(name="direct", search_url=search_url)
    index_everything_with(platform, direct)
    assert index_check.check(platform.database, direct.engine).is_empty
    assert {v.id for v in direct.engine.versions() if "public" in v.labels} == set(public)
    with platform.database.reading() as session:
        assert session.scalars(select(SearchDenial)).all() == []


def index_everything_with(platform: Platform, engine_of: Platform) -> None:
    while indexer.index_pending(platform.database, engine_of.engine, platform.clock):
        pass


def _change(platform: Platform, chance: random.Random, public: list[int]) -> None:
    with platform.database.writing() as session:
        people = People(platform, session)
        catalogue = Catalogue(platform, session, people)
        if public and chance.random() < 0.3:
            entry_id = public.pop(chance.randrange(len(public)))
            entry = session.get(CatalogueEntry, entry_id)
            assert entry is not None
            catalogue.entries.retire(
                people.bureau, entry, reason="停止更新", consequences_shown=True
            )
        else:
            public.append(catalogue.published().id)


def _try_to_index(platform: Platform) -> None:
    try:
        indexer.index_pending(platform.database, platform.engine, platform.clock)
    except SearchUnavailable:
        return


@pytest.mark.slow
def test_a_server_killed_while_it_is_written_to_holds_everything_in_the_end(
    elasticsearch: ElasticsearchNode,
    search_url: str,
    make_platform: Callable[..., Platform],
) -> None:
    platform = make_platform(search_url=search_url)
    published: set[int] = set()
    with running_worker(platform):
        for kills in (True, True, False):
            for number in range(15):
                with committing(platform) as catalogue:
                    published.add(catalogue.published().id)
                if kills and number == 7:
                    elasticsearch.kill()
            if kills:
                elasticsearch.start()
        wait_until(lambda: _found_or_none(platform) == published, 20)
    assert index_check.check(platform.database, platform.engine).is_empty


def _found_or_none(platform: Platform) -> set[int] | None:
    try:
        return found_ids(platform)
    except Unavailable:
        return None
