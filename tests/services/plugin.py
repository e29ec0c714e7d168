"""Pytest plugin: the life of the run's servers, the markers that fixtures imply, logs on failure."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.services.node import tail
from tests.services.run import RUN, TestRun

# Which marker a fixture implies, so that `-m "not s3"` holds for a test that forgot to say so.
MARKERS = {
    "elasticsearch": ("elasticsearch_url", "elasticsearch_node"),
    "postgresql": ("postgresql_database", "postgresql_node"),
    "redis": ("redis_database", "redis_node"),
    "s3": ("s3_bucket", "s3_node"),
    "browser": ("chromium",),
}


def pytest_configure(config: pytest.Config) -> None:
    shared = getattr(config, "workerinput", {}).get("services")
    config.stash[RUN] = TestRun(Path(shared[0]), shared[1]) if shared else TestRun.begin()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker where the run's servers are."""
    run = node.config.stash[RUN]
    node.workerinput["services"] = (str(run.folder), run.owner_pid)


def pytest_unconfigure(config: pytest.Config) -> None:
    run = config.stash.get(RUN, None)
    if run is not None and run.owner_pid == os.getpid():
        run.end()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        for marker, fixtures in MARKERS.items():
            if names.intersection(fixtures):
                item.add_marker(marker)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        folder = item.config.stash[RUN].folder
        for name in filter(item.get_closest_marker, MARKERS):
            for log in sorted(folder.glob(f"{name}*/log")):
                # Servers of earlier tests have left their logs here too.
                if log.parent.name == name or log.stat().st_mtime >= call.start:
                    report.sections.append((f"log of {log.parent.name}", tail(log)))
    return report
