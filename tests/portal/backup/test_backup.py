"""A portal is backed up while it runs, and comes back whole in another place."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from portal.cli import cli
from portal.models import AuditEvent, CatalogueEntry, DataVersion
from portal.platform import Platform, open_platform
from portal.services.audit import seal_pending
from portal.services.audit_anchor import FileAnchor
from portal.services.search import search_catalogue
from portal.settings import Settings
from search.request import SearchRequest
from tests.factories import Catalogue, People, SetClock

KEY = "a secret key of this portal and of no other one"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command in the environment of some settings."""

    def run(arguments: list[str], **environ: Any) -> Result:
        for name in ("HOME", "DATABASE_URL", "STORAGE_URL", "S3_ENDPOINT_URL", "SECRET_KEY"):
            monkeypatch.delenv(f"XIANGYUN_{name}", raising=False)
        for name, value in environ.items():
            monkeypatch.setenv(f"XIANGYUN_{name}", str(value))
        return CliRunner().invoke(cli, arguments)

    return run


def fill(platform: Platform) -> None:
    with platform.database.writing() as session:
        catalogue = Catalogue(platform, session, People(platform, session))
        catalogue.opened()
    with platform.database.writing() as session:
        anchor = FileAnchor(platform.settings.home / "audit-head.json")
        seal_pending(session, platform.clock, anchor)
    (platform.settings.home / "dictionaries").mkdir()
    (platform.settings.home / "dictionaries" / "synonyms.txt").write_text("公交,巴士\n", "utf-8")
    (platform.settings.home / "secret_key").write_text(KEY, "ascii")


def counts(platform: Platform) -> list[int | None]:
    with platform.database.reading() as session:
        models = (CatalogueEntry, AuditEvent, DataVersion)
        return [session.scalar(select(func.count(model.id))) for model in models]


def check(back: Platform, was: Platform) -> None:
    assert counts(back) == counts(was)
    assert {s.sha256 for s in back.storage.list()} == {s.sha256 for s in was.storage.list()}
    with back.database.reading() as session:
        from portal.actor import ANONYMOUS

        found = search_catalogue(session, back.engine, SearchRequest(words="公共汽电车"), ANONYMOUS)
        assert found.total == 1


def test_a_portal_on_sqlite_comes_back(
    make_platform: Callable[..., Platform],
    run: Callable[..., Result],
    tmp_path: Path,
    clock: SetClock,
) -> None:
    platform = make_platform("sqlite")
    fill(platform)
    file, home = tmp_path / "portal.tar", tmp_path / "back"
    made = run(["backup", str(file)], HOME=platform.settings.home)
    assert made.exit_code == 0, made.output
    assert "holds the secret key" in made.output
    assert file.stat().st_mode & 0o777 == 0o600
    again = run(["backup", str(file)], HOME=platform.settings.home)
    assert "exists already" in again.output

    restored = run(["restore", str(file)], HOME=home)
    assert restored.exit_code == 0, restored.output
    assert "1 entries, 1 files; 1 entries indexed" in restored.output
    assert (home / "secret_key").read_text() == KEY
    assert (home / "xiangyun.db").stat().st_mode & 0o777 == 0o600
    assert (home / "dictionaries" / "synonyms.txt").read_text("utf-8") == "公交,巴士\n"
    back = open_platform(Settings(home=home, secret_key=KEY), clock=clock)
    check(back, platform)
    back.close()

    twice = run(["restore", str(file)], HOME=home)
    assert twice.exit_code == 1
    assert "is not empty" in twice.output


def test_a_damaged_file_is_refused_before_anything_is_written(
    make_platform: Callable[..., Platform], run: Callable[..., Result], tmp_path: Path
) -> None:
    platform = make_platform("sqlite")
    fill(platform)
    file, home = tmp_path / "portal.tar", tmp_path / "back"
    made = run(["backup", str(file), "--without-secrets"], HOME=platform.settings.home)
    assert "secret key is not in it" in made.output
    stored = next(iter(platform.storage.list()))
    whole = b"".join(platform.storage.open(stored.sha256))
    file.write_bytes(file.read_bytes().replace(whole, whole[:-1] + b"?"))
    refused = run(["restore", str(file)], HOME=home)
    assert refused.exit_code == 1
    assert f"objects/{stored.sha256} is damaged" in refused.output
    assert not home.exists()


def test_what_is_no_back_up_is_refused(run: Callable[..., Result], tmp_path: Path) -> None:
    other = tmp_path / "other.tar"
    with tarfile.open(other, "w") as tar:
        tar.addfile(tarfile.TarInfo("readme"), io.BytesIO())
    assert "no manifest" in run(["restore", str(other)], HOME=tmp_path / "back").output
    other.write_bytes(b"PK\x03\x04" * 300)
    assert "is no back-up" in run(["restore", str(other)], HOME=tmp_path / "back").output


@pytest.mark.postgresql
@pytest.mark.s3
def test_a_portal_on_postgresql_and_s3_comes_back(
    make_platform: Callable[..., Platform],
    postgresql_url: str,
    s3_bucket: Callable[[], Any],
    run: Callable[..., Result],
    tmp_path: Path,
    clock: SetClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = s3_bucket(), s3_bucket()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", first.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", first.secret_key)
    platform = make_platform(
        "postgresql", storage_url=f"s3://{first.bucket}", s3_endpoint_url=first.endpoint_url
    )
    fill(platform)
    file = tmp_path / "portal.tar"
    shared = {"S3_ENDPOINT_URL": first.endpoint_url}
    made = run(
        ["backup", str(file)],
        HOME=platform.settings.home,
        DATABASE_URL=platform.settings.database_url,
        STORAGE_URL=f"s3://{first.bucket}",
        **shared,
    )
    assert made.exit_code == 0, made.output
    refused = run(["restore", str(file)], HOME=tmp_path / "elsewhere")
    assert "is of postgresql" in refused.output

    target = {"DATABASE_URL": postgresql_url, "STORAGE_URL": f"s3://{second.bucket}", **shared}
    restored = run(["restore", str(file)], HOME=tmp_path / "back", **target)
    assert restored.exit_code == 0, restored.output
    settings = Settings(
        home=tmp_path / "back", secret_key=KEY, database_url=postgresql_url,
        storage_url=f"s3://{second.bucket}", s3_endpoint_url=second.endpoint_url,
    )  # fmt: skip
    back = open_platform(settings, clock=clock)
    check(back, platform)
    back.close()
    full = run(["restore", str(file)], HOME=tmp_path / "third", **target)
    assert "the database is not empty" in full.output
