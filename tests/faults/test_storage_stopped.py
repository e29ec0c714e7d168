"""The file store goes away or is full in mid-upload: a clear answer, and no row without its bytes."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, func, select
from werkzeug.test import TestResponse

from portal.app import create_app
from portal.models import DataVersion, Distribution, IndexRequest
from portal.platform import Platform
from portal.storage.s3 import S3Storage
from tests.faults.cutting_proxy import cutting
from tests.portal.web.work.conftest import Browser, Office
from tests.services.fixtures import NodeMaker
from tests.services.nodes import S3Node
from tests.services.s3 import S3Server

SIZE = 3_000_000


def _table(size: int = SIZE) -> bytes:
    return "编号,名称\n".encode() + b"000123,abcdefgh\n" * (size // 16)


def _page(office: Office) -> tuple[Browser, str]:
    slug = office.made(lambda catalogue, people: catalogue.published().slug)
    return office.browser("agency_editor"), f"/work/entries/{slug}/files"


def _upload(browser: Browser, page: str, data: bytes) -> TestResponse:
    form = browser.form(page, "/files")
    given = {**form.values(), "file": (io.BytesIO(data), "站点.csv")}
    return browser.client.post(form.action, data=given, content_type="multipart/form-data")


def _rows(office: Office) -> tuple[int, int]:
    def count(session) -> tuple[int, int]:  # type: ignore[no-untyped-def]
        return tuple(
            session.scalar(select(func.count(model.id))) for model in (Distribution, DataVersion)
        )

    return office.read(count)


@pytest.mark.slow
def test_s3_stopped_in_mid_upload_leaves_nothing_and_works_again_after_its_start(
    s3_node: NodeMaker[S3Node],
    make_platform: Callable[..., Platform],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with s3_node() as node:
        bucket = S3Server.at(node.url, "outage")
        bucket.create_bucket()
        for name, value in bucket.environment.items():
            monkeypatch.setenv(name, value)
        with cutting(node.port, lambda: SIZE // 2, node.kill) as proxy:
            platform = make_platform(storage_url="s3://outage", s3_endpoint_url=proxy.url)
            office = Office(platform, create_app(platform))
            browser, page = _page(office)
            answer = _upload(browser, page, _table())
            assert proxy.cuts >= 1, "the upload never reached its middle"
        assert answer.status_code == 503
        assert "文件存储服务暂时不可用，没有保存任何内容" in answer.text
        assert _rows(office) == (0, 0)
        assert browser.get("/work").status_code == 200
        node.start()
        platform.storage = S3Storage(
            "outage", endpoint_url=node.url, cache_folder=platform.settings.cache_folder / "again"
        )
        assert list(platform.storage.list()) == []
        assert _upload(browser, page, _table()).status_code == 303
        assert _rows(office) == (1, 1)
        sha256 = office.read(lambda session: session.scalars(select(DataVersion.sha256)).one())
        assert b"".join(platform.storage.open(sha256)) == _table()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a megabyte."""
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("a small file system needs root")
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True
    )
    if made.returncode != 0:
        pytest.skip(f"no mount here: {made.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_said_to_be_full_and_the_service_survives(
    small_disk: Path, make_platform: Callable[..., Platform]
) -> None:
    platform = make_platform(storage_url=(small_disk / "files").as_uri())
    office = Office(platform, create_app(platform))
    browser, page = _page(office)
    answer = _upload(browser, page, _table())
    assert answer.status_code == 507
    assert "存储空间不足，没有保存任何内容" in answer.text
    assert _rows(office) == (0, 0)
    assert [p for p in small_disk.rglob("*") if p.is_file()] == [], "half an upload was left"
    assert _upload(browser, page, _table(100_000)).status_code == 303
    assert _rows(office) == (1, 1)


def test_a_full_disk_under_the_database_keeps_what_was_committed(
    make_platform: Callable[..., Platform],
) -> None:
    platform = make_platform()
    office = Office(platform, create_app(platform))
    # The limit of the file itself: SQLite reports it as it reports a full disk.
    with platform.database.reading() as session:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar()

    @event.listens_for(platform.database.engine, "begin")
    def _limit(connection: object) -> None:
        raw = connection.connection.dbapi_connection  # type: ignore[attr-defined]
        raw.execute(f"PRAGMA max_page_count={pages + 60}")

    browser = office.browser("agency_editor")
    statuses = set()
    for _ in range(60):
        form = browser.form("/work/entries/new", "/work/entries/new")
        answer = browser.client.post(
            form.action, data={**form.values(), "title": "水质", "abstract": "长" * 2000}
        )
        statuses.add(answer.status_code)
        if answer.status_code == 507:
            break
    assert 507 in statuses, statuses
    assert "存储空间不足" in answer.text
    assert office.app.test_client().get("/health").status_code == 200
    with platform.database.reading() as session:
        assert session.connection().exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        session.scalars(select(IndexRequest)).all()
