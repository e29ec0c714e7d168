"""Many records written together stand in the catalogue as records written one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from portal.models import CatalogueEntry
from portal.models.harvest import get_run
from portal.platform import Platform
from portal.services import harvest_run
from tests.factories import TRANSPORT
from tests.harvesters.packages import package
from tests.harvesters.replay import ReplayServer
from tests.portal.services.harvests import Harvests, count_rows, file, open_packages, totals

COUNT = 8


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as running:
        yield running


Make = Callable[..., Harvests]


@pytest.fixture
def make(make_platform: Callable[..., Platform], server: ReplayServer, database_kind: str) -> Make:
    def made(name: str) -> Harvests:
        platform = make_platform(database_kind, name=name, fetch_allowed_hosts=(server.address,))
        return Harvests(platform, server)

    return made


def packages() -> list[dict[str, Any]]:
    """Plain ones, and one of each kind that is not: closed, with a bad link, without a file."""
    found = open_packages(COUNT)
    found[1]["resources"] = [file(1), file(91), file(92, url="ftp://data.example.cn/92")]
    found.append(package(20, extras=[{"key": "jl_open_type", "value": "none"}], resources=[]))
    found.append(package(21, title="长" * 300, resources=[file(21)]))
    found.append(package(22, name="Not A Name", resources=[file(22)]))
    return found


def facts(entry: CatalogueEntry) -> dict[str, Any]:
    version = entry.published_version
    assert version is not None
    return {
        "public_id": entry.public_id,
        "value": {k: v for k, v in entry.value.items() if k != "computed_at"},
        "second look": entry.needs_second_look,
        "fingerprint": entry.source_fingerprint,
        "content": version.content_hash,
        "state": (version.state, version.number, entry.metadata_profile),
        "places": (entry.provider_id, entry.responsible_dept_id),
    }


def test_together_and_one_by_one_leave_the_same(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = make("together")
    together.add(packages(), "city", organisation=TRANSPORT)
    first = together.run("city")
    monkeypatch.setattr(harvest_run, "FEW", 1000)  # never together
    single = make("single")
    single.add(packages(), "city", organisation=TRANSPORT)
    second = single.run("city")
    assert totals(first) == totals(second) == {"created": COUNT + 2, "faulty": 1}
    ours, theirs = together.entries("city"), single.entries("city")
    assert {k: facts(e) for k, e in ours.items()} == {k: facts(e) for k, e in theirs.items()}
    with (
        together.platform.database.reading() as here,
        single.platform.database.reading() as there,
    ):
        assert count_rows(here) == count_rows(there)
    said = [
        {line.remote_id: line.reason for line in harvests.lines(run)}
        for harvests, run in ((together, first), (single, second))
    ]
    assert said[0] == said[1]
    assert totals(together.run("city")) == {"unchanged": COUNT + 2, "faulty": 1}
    with together.platform.database.reading() as here:
        assert get_run(here, first.id).counts["created"] == COUNT + 2
