"""Many writers at one SQLite file: each waits for its turn, none is refused, none is lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, text

from portal.models import AuditEvent, CatalogueEntry
from portal.platform import Platform
from tests.faults.working import committing
from tests.services.node import ROOT

PROCESSES, THREADS, EACH = 2, 8, 6


def _writer(platform: Platform, number: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.faults.sqlite_writer", str(platform.settings.home)]
    return subprocess.Popen(
        [*command, str(number), str(THREADS), str(EACH)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


@pytest.mark.slow
def test_eight_threads_in_each_of_two_processes_lose_nothing(
    make_platform: Callable[..., Platform],
) -> None:
    platform = make_platform()
    writers = [_writer(platform, number) for number in range(PROCESSES)]
    for writer in writers:
        _, errors = writer.communicate(timeout=240)
        assert writer.returncode == 0, errors.decode()
    expected = PROCESSES * THREADS * EACH
    with platform.database.reading() as session:
        assert session.scalar(select(func.count(CatalogueEntry.id))) == expected
        codes = select(func.count(func.distinct(CatalogueEntry.code)))
        assert session.scalar(codes) == expected
        created = select(func.count(AuditEvent.id)).where(AuditEvent.event == "create")
        assert session.scalar(created) == expected
        assert session.scalar(text("PRAGMA integrity_check")) == "ok"


@pytest.mark.slow
def test_a_writer_killed_in_mid_transaction_holds_nobody_up(
    make_platform: Callable[..., Platform],
) -> None:
    """The lock of a dead process is free, and what it had not committed is not there."""
    platform = make_platform()
    program = """\
import sys, time
from pathlib import Path
from portal.platform import open_platform
from portal.settings import Settings
from tests.faults.working import committing
platform = open_platform(Settings(home=Path(sys.argv[1]), secret_key="x" * 40))
with committing(platform) as catalogue:
    catalogue.draft()
    print("holding", flush=True)
    time.sleep(600)
"""
    writer = subprocess.Popen(
        [sys.executable, "-c", program, str(platform.settings.home)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"holding\n"
    writer.kill()
    writer.wait()
    with committing(platform) as catalogue:
        made = catalogue.draft().entry_id
    with platform.database.reading() as session:
        assert session.scalars(select(CatalogueEntry.id)).all() == [made]


def test_a_second_writing_transaction_in_one_thread_is_refused_and_not_a_deadlock(
    make_platform: Callable[..., Platform],
) -> None:
    platform = make_platform()
    with platform.database.writing() as first, platform.database.writing_session() as second:
        first.execute(text("SELECT 1"))
        with pytest.raises(RuntimeError, match="second writing transaction"):
            second.execute(text("SELECT 1"))
    with committing(platform) as catalogue:
        assert catalogue.draft().id
