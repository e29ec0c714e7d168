"""A process is killed in mid-harvest; what goes on ends where an undisturbed run ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from portal.models import AuditEvent, CatalogueEntry, Distribution, EntryVersion, Job
from portal.models.harvest import HarvestItem, HarvestRun
from portal.platform import Platform
from tests.faults.harvest_that_dies import MOMENTS
from tests.faults.working import wait_until
from tests.harvesters.replay import ReplayServer
from tests.portal.services.harvests import Harvests, open_packages

COUNT = 110
TAKEOVER_SECONDS = 60.0


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as running:
        yield running


@pytest.fixture
def harvests(
    make_platform: Callable[..., Platform], database_kind: str, server: ReplayServer
) -> Harvests:
    platform = make_platform(database_kind, fetch_allowed_hosts=(server.address,))
    return Harvests(platform, server)


def command(harvests: Harvests, *arguments: str, module: str = "portal") -> subprocess.Popen[bytes]:
    """Start a real `xiangyun` process on the platform's home and database."""
    settings = harvests.platform.settings
    environment = {
        **os.environ,
        "XIANGYUN_HOME": str(settings.home),
        "XIANGYUN_DATABASE_URL": settings.database_url,
        "XIANGYUN_SECRET_KEY": settings.secret_key,
        "XIANGYUN_FETCH_ALLOWED_HOSTS": harvests.server.address,
    }
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def ended_at_last(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=10)


def run_state(harvests: Harvests) -> str:
    with harvests.platform.database.reading() as session:
        state = session.scalar(select(HarvestRun.state).order_by(HarvestRun.id.desc()).limit(1))
    return state or ""


def count_items(harvests: Harvests, state: str) -> int:
    with harvests.platform.database.reading() as session:
        query = select(func.count(HarvestItem.id)).where(HarvestItem.state == state)
        return session.scalar(query) or 0


def outcome(harvests: Harvests) -> dict[str, object]:
    """Return what an interruption must not change."""
    with harvests.platform.database.reading() as session:
        run = session.scalars(select(HarvestRun)).one()
        harvested = select(func.count(AuditEvent.id)).where(AuditEvent.event == "harvest")
        return {
            "counts": run.counts,
            "entries": session.scalar(select(func.count(CatalogueEntry.id))),
            "versions": session.scalar(select(func.count(EntryVersion.id))),
            "links": session.scalar(select(func.count(Distribution.id))),
            "events": session.scalar(harvested),
            "names": sorted(session.scalars(select(CatalogueEntry.slug))),
        }


def expire_lease(harvests: Harvests) -> None:
    """Let the time pass that a dead process's lease still has."""
    with harvests.platform.database.writing() as session:
        past = harvests.platform.clock() - timedelta(days=400)
        session.execute(update(Job).where(Job.state == "running").values(leased_until=past))


def kill_in_mid_write(harvests: Harvests) -> None:
    with ended_at_last(command(harvests, "harvest", "run", "city")) as process:
        wait_until(lambda: count_items(harvests, "created") >= 20, 60)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)
    assert run_state(harvests) == "writing"
    assert 0 < count_items(harvests, "gathered") < COUNT


@pytest.fixture
def undisturbed(make_platform: Callable[..., Platform], server: ReplayServer) -> dict[str, object]:
    platform = make_platform("sqlite", name="undisturbed", fetch_allowed_hosts=(server.address,))
    calm = Harvests(platform, server)
    calm.add(open_packages(COUNT))
    calm.run()
    return outcome(calm)


@pytest.mark.slow
def test_the_next_run_goes_on_where_a_killed_one_stopped(
    harvests: Harvests, undisturbed: dict[str, object]
) -> None:
    harvests.add(open_packages(COUNT))
    kill_in_mid_write(harvests)
    expire_lease(harvests)
    with ended_at_last(command(harvests, "harvest", "run", "city")) as process:
        assert process.wait(timeout=120) == 0
    assert run_state(harvests) == "done"
    assert outcome(harvests) == undisturbed


@pytest.mark.slow
def test_a_run_killed_while_it_gathers_gathers_anew(
    harvests: Harvests, undisturbed: dict[str, object]
) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def stall(pages: int) -> None:
        if pages == 2:  # one page of a hundred is kept
            reached.set()
            go_on.wait(30)

    catalogue = harvests.add(open_packages(COUNT))
    catalogue.after_page = lambda pages: stall(pages - 1)
    with ended_at_last(command(harvests, "harvest", "run", "city")) as process:
        assert reached.wait(60)
        wait_until(lambda: count_items(harvests, "gathered") == 100, 10)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)
    go_on.set()
    catalogue.after_page = None
    assert run_state(harvests) == "gathering"
    expire_lease(harvests)
    with ended_at_last(command(harvests, "harvest", "run", "city")) as process:
        assert process.wait(timeout=120) == 0
    assert outcome(harvests) == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_killed_at_any_moment_ends_as_an_undisturbed_one(
    moment: str, harvests: Harvests, make_platform: Callable[..., Platform], server: ReplayServer
) -> None:
    few = 25
    calm = Harvests(
        make_platform("sqlite", name="calm", fetch_allowed_hosts=(server.address,)), server
    )
    calm.add(open_packages(few))
    calm.run()
    harvests.add(open_packages(few))
    module = "tests.faults.harvest_that_dies"
    with ended_at_last(command(harvests, moment, module=module)) as process:
        assert process.wait(timeout=120) == -signal.SIGKILL
    if run_state(harvests) != "done":
        expire_lease(harvests)
        with ended_at_last(command(harvests, "harvest", "run", "city")) as process:
            assert process.wait(timeout=120) == 0
    assert outcome(harvests) == outcome(calm)


@pytest.mark.slow
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_worker_takes_a_killed_run_over_within_a_minute(
    harvests: Harvests, undisturbed: dict[str, object]
) -> None:
    """Nothing is done by hand here: the dead process's lease runs out by itself."""
    harvests.add(open_packages(COUNT))
    kill_in_mid_write(harvests)
    left = count_items(harvests, "gathered")
    with ended_at_last(command(harvests, "worker")) as process:
        wait_until(lambda: count_items(harvests, "gathered") < left, TAKEOVER_SECONDS)
        wait_until(lambda: run_state(harvests) == "done", 60)
        process.terminate()
        process.wait(timeout=20)
    assert outcome(harvests) == undisturbed


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_second_command_is_refused_while_the_first_one_lives(
    harvests: Harvests, make_platform: Callable[..., Platform]
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def stall(_pages: int) -> None:
        asked.set()
        go_on.wait(60)

    harvests.add(open_packages(3)).after_page = stall
    with ended_at_last(command(harvests, "harvest", "run", "city")) as first:
        assert asked.wait(60)
        with ended_at_last(command(harvests, "harvest", "run", "city")) as second:
            assert second.wait(timeout=40) == 1
        go_on.set()
        assert first.wait(timeout=60) == 0
    assert outcome(harvests)["entries"] == 3
