"""A consistent copy of the running database in a file, and a database made from such a file.

SQLite by its online back-up; PostgreSQL by pg_dump and pg_restore (custom format).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import URL, create_engine, inspect, make_url

from portal.backup.errors import BackupError

SQLITE, POSTGRESQL = "sqlite", "postgresql"
PAGES_AT_ONCE = 2000  # the writers go on between


def kind_of(database_url: str) -> str:
    return make_url(database_url).get_backend_name()


def dump(database_url: str, target: Path) -> None:
    """Write a copy of the database as it is at one moment; readers and writers go on.

    Raises:
        BackupError: the database or pg_dump does not answer.
    """
    url = make_url(database_url)
    if url.get_backend_name() == POSTGRESQL:
        _run(
            "pg_dump",
            ["--format=custom", "--no-owner", "--no-privileges", f"--file={target}"],
            url,
        )
        return
    source = sqlite3.connect(f"file:{url.database}?mode=ro", uri=True)
    copy = sqlite3.connect(target)
    try:
        source.backup(copy, pages=PAGES_AT_ONCE)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        (fault,) = copy.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.Error as error:
        raise BackupError(f"the database cannot be copied: {error}") from error
    finally:
        copy.close()
        source.close()
    if fault != "ok":
        raise BackupError(f"the copy of the database is damaged: {fault}")


def is_empty(database_url: str) -> bool:
    """True if the database has no tables, or (SQLite) its file is not there."""
    url = make_url(database_url)
    if url.get_backend_name() == SQLITE and not Path(url.database or "").exists():
        return True
    engine = create_engine(database_url)
    try:
        return not inspect(engine).get_table_names()
    finally:
        engine.dispose()


def bring_back(source: Path, database_url: str) -> None:
    """Make the database from the file, whole or not at all.

    Raises:
        BackupError: pg_restore refuses.
    """
    url = make_url(database_url)
    if url.get_backend_name() == POSTGRESQL:
        options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
        _run("pg_restore", [*options, f"--dbname={url.database}", str(source)], url)
        return
    target = Path(url.database or "")
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(".restoring")
    os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    shutil.copyfile(source, fresh)
    fresh.replace(target)


def _run(program: str, options: Sequence[str], url: URL) -> None:
    """Run a program of PostgreSQL; the password goes by the environment, where `ps` shows none."""
    try:
        done = subprocess.run(
            [program, "--no-password", *options],
            env={**os.environ, **_environment(url)},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise BackupError(f"{program} is not installed (package postgresql-client)") from None
    if done.returncode:
        raise BackupError(f"{program}: {done.stderr.strip()[-1000:]}")


def _environment(url: URL) -> dict[str, str]:
    given = {
        "PGHOST": url.host or str(url.query.get("host", "")),
        "PGPORT": str(url.port or url.query.get("port", "")),
        "PGUSER": url.username or "",
        "PGPASSWORD": str(url.password or ""),
        "PGDATABASE": url.database or "",
        "PGSSLMODE": str(url.query.get("sslmode", "")),
    }
    return {name: value for name, value in given.items() if value}
