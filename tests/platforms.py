"""A pytest plugin: platforms on either database, sessions, people and entries."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from portal.commands.database import prepare_database
from portal.jobs.worker import Worker
from portal.platform import Platform, open_platform
from portal.services import accounts
from portal.settings import Settings
from tests.factories import Catalogue, People, SetClock

SECRET = "test-secret-" * 4


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real argon2id at its lowest cost: the tests make thousands of accounts."""
    monkeypatch.setattr(
        accounts, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    )


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database, copied for each test."""
    home = tmp_path_factory.mktemp("template")
    platform = open_platform(Settings(home=home, secret_key=SECRET), clock=SetClock())
    prepare_database(platform)
    platform.close()
    return home / "xiangyun.db"


@pytest.fixture(scope="session")
def _compiled_pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder of compiled templates for all platforms of the run's process."""
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Both databases; override with `@pytest.mark.parametrize("database_kind", ["sqlite"])`."""
    return str(request.param)


@pytest.fixture
def make_platform(
    request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock
) -> Iterator[Callable[..., Platform]]:
    """Return a maker of platforms: `make_platform("sqlite", search_url="…")`."""
    opened: list[Platform] = []

    def make(kind: str = "sqlite", *, name: str = "home", **settings: object) -> Platform:
        home = tmp_path / name
        (home / "cache").mkdir(parents=True, exist_ok=True)
        compiled = home / "cache" / "pages"
        if not compiled.exists():
            compiled.symlink_to(request.getfixturevalue("_compiled_pages"))
        if kind == "postgresql":
            settings["database_url"] = request.getfixturevalue("postgresql_database")()
        else:
            shutil.copy(request.getfixturevalue("_sqlite_template"), home / "xiangyun.db")
        values = {"home": home, "secret_key": SECRET, "anonymous_rate": 0, **settings}
        platform = open_platform(Settings.model_validate(values), clock=clock)
        if kind == "postgresql":
            prepare_database(platform)
        opened.append(platform)
        return platform

    yield make
    for platform in opened:
        platform.close()


@pytest.fixture
def platform(make_platform: Callable[..., Platform], database_kind: str) -> Platform:
    """A platform on an empty database with the departments and the calendar loaded."""
    return make_platform(database_kind)


@pytest.fixture
def session(platform: Platform) -> Iterator[Session]:
    """One writing transaction, rolled back at the end."""
    with platform.database.writing_session() as opened:
        yield opened
        opened.rollback()


@pytest.fixture
def people(platform: Platform, session: Session) -> People:
    return People(platform, session)


@pytest.fixture
def catalogue(platform: Platform, session: Session, people: People) -> Catalogue:
    return Catalogue(platform, session, people)


@pytest.fixture
def worker(platform: Platform) -> Worker:
    return Worker(platform)
