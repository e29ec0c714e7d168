"""The database's file: whose it is."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from portal.db import Database


def test_a_new_sqlite_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "portal.db"
    database = Database(f"sqlite:///{path}")
    with database.writing() as session:
        session.execute(text("CREATE TABLE person (name TEXT)"))
    modes = {one.name: one.stat().st_mode & 0o777 for one in tmp_path.iterdir()}
    database.dispose()
    assert {"portal.db", "portal.db-wal"} <= modes.keys()
    assert set(modes.values()) == {0o600}
