"""A worker process dies in mid-job: another one ends the job within a minute, as if undisturbed."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.models import DataVersion, Job
from portal.platform import Platform
from portal.services.distributions import PARSE_TABLE, Upload
from tests.faults.working import committing, wait_until
from tests.platforms import SECRET
from tests.services.portal_nodes import WorkerNode

ROWS = 400_000


def _big_table() -> bytes:
    lines = (f"{n:07d},站点{n % 977},{n % 31}.5,2026-0{n % 9 + 1}-15" for n in range(ROWS))
    return ("编号,名称,数值,日期\n" + "\n".join(lines) + "\n").encode()


def _worker(platform: Platform, folder: Path) -> WorkerNode:
    settings = platform.settings
    return WorkerNode(
        folder,
        {
            "XIANGYUN_HOME": str(settings.home),
            "XIANGYUN_DATABASE_URL": settings.database_url,
            "XIANGYUN_SECRET_KEY": SECRET,
            "XIANGYUN_EXTENSIONS": ",".join(settings.extensions),
        },
    )


def _job(platform: Platform) -> Job:
    with platform.database.reading() as session:
        return session.scalars(select(Job).where(Job.kind == PARSE_TABLE)).one()


@pytest.mark.slow
def test_a_job_whose_worker_was_killed_ends_within_a_minute(
    make_platform: Callable[..., Platform], database_kind: str, tmp_path: Path
) -> None:
    platform = make_platform(database_kind)
    stored = platform.storage.put(io.BytesIO(_big_table()))
    with committing(platform) as catalogue:
        entry = catalogue.published()
        catalogue.distributions.add_file(
            catalogue._people.editor, entry, Upload(stored, "大表.csv")
        )
    first = _worker(platform, tmp_path / "first")
    first.start()
    wait_until(lambda: _job(platform).state == "running", 30, pause=0.01)
    first.kill()
    killed_at = time.monotonic()
    assert _job(platform).state == "running", "killed too late"
    second = _worker(platform, tmp_path / "second")
    second.start()
    try:
        wait_until(lambda: _job(platform).state == "done", 90)
    finally:
        second.stop()
    assert time.monotonic() - killed_at < 60
    assert _job(platform).attempt == 2
    with platform.database.reading() as session:
        (version,) = session.scalars(select(DataVersion)).all()
        assert version.table_state == "ready"
        assert version.table is not None
        assert version.table["row_count"] == ROWS
