"""Hostile sources: each ends as a failed run that says why, while another run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import repeat

import pytest
from sqlalchemy import select

from portal.jobs import harvests as jobs
from portal.jobs.source_reader import SourceReader
from portal.models.harvest import HarvestRun
from portal.platform import Platform
from portal.services import harvest_gathering
from tests.faults.working import running_worker, wait_until
from tests.harvesters.replay import Answer, CkanCatalogue, ReplayServer, json_answer
from tests.portal.services.harvests import Harvests, open_packages, totals

TOTAL_SECONDS = 2.0
DUPLICATES = 600


def endless() -> Iterator[bytes]:
    yield b'{"dataset": [{"title": "'
    yield from repeat(b"x" * 1_000_000)


def same_id(count: int) -> dict[str, object]:
    one = {"identifier": "the same", "title": "同一条", "description": "重复"}
    return {"dataset": [one] * count}


HOSTILE = {
    "endless body": ([Answer(body=endless())], "超过"),
    "slow drip": ([Answer(body=repeat(b" "), pause_seconds=0.05)], "秒内没有传完"),
    "redirect loop": ([Answer(302, headers={"Location": "/bad/data.json"})], "跳转次数过多"),
    "same id": ([json_answer(same_id(DUPLICATES))], f"有误的记录超过 {DUPLICATES // 2} 条"),
    "declared longer": (
        [Answer(body=b'{"dataset": [', headers={"Content-Length": "999"}, cut_after=13)],
        "中断",
    ),
    "declared shorter": (
        [Answer(body=b'{"dataset": [{"title": "x"}]}', headers={"Content-Length": "20"})],
        "截断",
    ),
}


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_source_fails_alone(
    name: str,
    make_platform: Callable[..., Platform],
    server: ReplayServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The bounds are smaller than in earnest, so that the test is quick; nothing else differs."""
    monkeypatch.setattr(harvest_gathering, "MOST_FAULTS", DUPLICATES // 2)
    monkeypatch.setattr(
        jobs,
        "reader",
        lambda platform: SourceReader(
            frozenset(platform.settings.fetch_allowed_hosts),
            request_seconds=30.0 if name == "endless body" else TOTAL_SECONDS,
        ),
    )
    harvests = Harvests(make_platform("sqlite", fetch_allowed_hosts=(server.address,)), server)
    answers, words = HOSTILE[name]
    server.on("/bad/data.json", *answers)
    server.on("/good/api/action/package_search", CkanCatalogue(open_packages(3)))
    harvests.add_source("bad", f"{server.url}/bad/data.json", kind="datajson", attempts=1)
    harvests.add_source("good", f"{server.url}/good")
    bad, good = harvests.start("bad"), harvests.start("good")
    with running_worker(harvests.platform):
        wait_until(lambda: _ended(harvests, bad, good), 90)
    with harvests.platform.database.reading() as session:
        failed, done = session.get_one(HarvestRun, bad), session.get_one(HarvestRun, good)
    assert failed.state == "failed"
    assert words in failed.error
    assert totals(failed) == {}
    assert totals(done) == {"created": 3}


def _ended(harvests: Harvests, *runs: int) -> bool:
    with harvests.platform.database.reading() as session:
        states = session.scalars(select(HarvestRun.state).where(HarvestRun.id.in_(runs)))
        return not {"gathering", "writing"} & set(states)
