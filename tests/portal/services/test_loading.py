"""`xiangyun load`: every faulty line by its number, all others written and found."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from portal.actor import ANONYMOUS
from portal.cli import cli
from portal.models import AuditEvent, CatalogueEntry, Notice
from portal.platform import Platform
from portal.services.loading import LoadFailed, PackageLoader
from portal.services.search import search_catalogue
from search.request import SearchRequest
from tests.factories import People
from tests.portal.api.packages import foreign_package


def lines(*packages: Any) -> list[bytes]:
    return [json.dumps(p).encode() if isinstance(p, dict) else p for p in packages]


def loader(platform: Platform) -> PackageLoader:
    return PackageLoader(platform.database, platform.clock, source="f.jsonl", reason="测试")


def count(platform: Platform) -> int:
    with platform.database.reading() as session:
        return session.scalar(select(func.count(CatalogueEntry.id))) or 0


def test_faulty_lines_are_named_and_the_others_go_on(platform: Platform) -> None:
    with platform.database.writing() as session:
        People(platform, session).account("bureau_reviewer", "JL-BUR")
    mixed = lines(foreign_package(), b"{bad", b"", b"[]", {"title": ""}, foreign_package())
    *_, report = loader(platform).load(mixed)
    assert (report.created, [error.number for error in report.errors]) == (2, [2, 4, 5])
    assert count(platform) == 2
    with platform.database.reading() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.event == "load")).one()
        assert event.details["created"] == 2
        assert session.scalar(select(func.count(Notice.id))) == 1


def test_all_or_nothing(platform: Platform) -> None:
    with pytest.raises(LoadFailed) as refused:
        loader(platform).load_whole(lines(foreign_package(), b"{bad"))
    assert [error.number for error in refused.value.report.errors] == [2]
    assert count(platform) == 0
    assert loader(platform).load_whole(lines(foreign_package())).created == 1


@pytest.fixture
def command(
    make_platform: Callable[..., Platform], monkeypatch: pytest.MonkeyPatch
) -> tuple[Platform, Callable[..., Result]]:
    platform = make_platform()
    monkeypatch.setenv("XIANGYUN_HOME", str(platform.settings.home))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, list(arguments))

    return platform, run


def test_the_command_loads_and_indexes(
    command: tuple[Platform, Callable[..., Result]], tmp_path: Path
) -> None:
    platform, run = command
    plain, zipped, faulty = (tmp_path / name for name in ("a.jsonl", "b.jsonl.gz", "c.jsonl"))
    package = foreign_package(title="空气质量")
    plain.write_bytes(b"\n".join(lines(package)))
    zipped.write_bytes(gzip.compress(b"\n".join(lines(package, foreign_package()))))
    faulty.write_bytes(b"\n".join(lines(foreign_package(), b"{bad")))
    done = run("load", str(plain))
    assert (done.exit_code, "created 1" in done.stdout) == (0, True), done.output
    assert "created 1，更新 updated 0，未变 unchanged 1" in run("load", str(zipped)).stdout
    failed = run("load", str(faulty), "--all-or-nothing")
    assert (failed.exit_code, "第 2 行" in failed.stderr) == (1, True)
    failed = run("load", str(faulty))
    assert (failed.exit_code, "第 2 行" in failed.stderr, "created 1" in failed.stdout) == (
        1,
        True,
        True,
    )
    with platform.database.reading() as session:
        found = search_catalogue(session, platform.engine, SearchRequest(), ANONYMOUS)
    assert found.total == 3
    assert run("load", str(tmp_path / "missing")).exit_code == 2
