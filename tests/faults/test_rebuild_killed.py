"""A rebuild is killed at any point: nothing is lost, and the next one goes on where it stopped."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import orjson
import psutil
import pytest

from portal.commands.rebuild_beside import prepared_beside
from portal.errors import Conflict
from portal.platform import Platform, open_platform
from portal.services import index_check, index_rebuild
from portal.services.loading import PackageLoader
from portal.services.rebuild_lock import rebuilding_alone
from portal.settings import Settings
from search import elasticsearch_build, tantivy_build
from search.request import SearchRequest
from tests.benchmarks.sample import packages
from tests.faults.working import committing, found_ids, index_everything, search, wait_until

ENTRIES, KILLED_AT, RANGE, KEPT_EVERY = 240, 150, 20, 40


def _small_steps() -> None:
    index_rebuild.RANGE = RANGE
    tantivy_build._COMMIT_EVERY = elasticsearch_build._KEEP_EVERY = KEPT_EVERY


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_rebuild, "RANGE", RANGE)
    monkeypatch.setattr(tantivy_build, "_COMMIT_EVERY", KEPT_EVERY)
    monkeypatch.setattr(elasticsearch_build, "_KEEP_EVERY", KEPT_EVERY)


def rebuild_and_die(settings: Settings, helpers: Path) -> None:
    """In a process of its own: kill this process in the middle of a rebuild."""
    _small_steps()
    platform = open_platform(settings)

    def progress(done: int, _total: int) -> None:
        if done >= KILLED_AT:
            pids = [child.pid for child in psutil.Process().children(recursive=True)]
            helpers.write_text(" ".join(map(str, pids)))
            os.kill(os.getpid(), signal.SIGKILL)

    # With the embedded engine also with helpers, which must not outlive their master.
    many = 0 if settings.search_url else 10**6
    with prepared_beside(platform, entries=many) as prepare:
        index_rebuild.rebuild(
            platform.database, platform.engine, platform.clock, prepare=prepare, progress=progress
        )


def _load(platform: Platform, count: int) -> None:
    lines = (orjson.dumps(package) for package in packages(count))
    loader = PackageLoader(platform.database, platform.clock, source="sample", reason="测试")
    for _ in loader.load(lines):
        pass
    index_everything(platform)


@pytest.mark.slow
def test_a_killed_rebuild_is_gone_on_with(
    searching: Platform, small_steps: None, tmp_path: Path
) -> None:
    _load(searching, ENTRIES)
    process = multiprocessing.get_context("spawn").Process(
        target=rebuild_and_die, args=(searching.settings, tmp_path / "helpers")
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    helpers = [int(pid) for pid in (tmp_path / "helpers").read_text().split()]
    assert len(helpers) >= (0 if searching.settings.search_url else 2)
    assert search(searching, rows=0).total == ENTRIES
    with committing(searching) as catalogue:
        late = catalogue.published().id
    index_everything(searching)
    assert search(searching, rows=0).total == ENTRIES + 1
    steps: list[int] = []
    held = index_rebuild.rebuild(
        searching.database,
        searching.engine,
        searching.clock,
        progress=lambda done, _total: steps.append(done),
    )
    assert steps[0] >= KILLED_AT - KEPT_EVERY - RANGE
    assert steps[-1] == held == ENTRIES + 1
    assert late in found_ids(searching, ids=frozenset({late}))
    assert index_check.check(searching.database, searching.engine).is_empty
    wait_until(lambda: not any(map(psutil.pid_exists, helpers)), 20)


def test_two_rebuilds_at_once_are_refused(platform: Platform) -> None:
    with rebuilding_alone(platform.database), pytest.raises(Conflict, match="另一个进程"):
        index_rebuild.rebuild(platform.database, platform.engine, platform.clock)
    assert index_rebuild.rebuild(platform.database, platform.engine, platform.clock) == 0


def test_a_fresh_rebuild_begins_anew(searching: Platform, small_steps: None) -> None:
    _load(searching, 80)
    with pytest.raises(KeyboardInterrupt):
        index_rebuild.rebuild(
            searching.database, searching.engine, searching.clock, progress=_interrupt_at_60
        )
    assert searching.engine.search(SearchRequest(rows=0), frozenset({"public"})).total == 80
    steps: list[int] = []
    index_rebuild.rebuild(
        searching.database,
        searching.engine,
        searching.clock,
        fresh=True,
        progress=lambda done, _total: steps.append(done),
    )
    assert steps[0] == 0
    assert index_check.check(searching.database, searching.engine).is_empty


def _interrupt_at_60(done: int, _total: int) -> None:
    if done >= 60:
        raise KeyboardInterrupt
