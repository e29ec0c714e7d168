"""Makes a large catalogue out of a small one in seconds, by copying rows inside the database.

`xiangyun load` brings in some hundred data sets a second; what the search benchmarks need is a
hundred thousand. Each copy has a word of its own in its title and abstract, identities of its own,
and is otherwise the data set it was copied from: no word becomes rarer with the size.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

_MARK = "（"


def count_entries(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT count(*) FROM catalogue_entry").fetchone()[0])


def multiply(database: Path, wanted: int) -> int:
    """Copy published data sets until there are `wanted`; return how many there are then."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("PRAGMA synchronous=OFF")
        have, entry_step, version_step, file_step = connection.execute(
            "SELECT count(*), max(id), (SELECT max(id) FROM entry_version),"
            " (SELECT max(id) FROM distribution) FROM catalogue_entry"
        ).fetchone()
        steps = {"e": entry_step, "v": version_step, "d": file_step}
        copy, left = 1, wanted - have
        while left > 0:
            connection.execute("BEGIN IMMEDIATE")
            _copy(connection, copy, steps, limit=min(left, have))
            connection.execute("COMMIT")
            copy, left = copy + 1, left - have
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return count_entries(database)


def _copy(
    connection: sqlite3.Connection, copy: int, steps: Mapping[str, int], *, limit: int
) -> None:
    entry, version, file = (copy * steps[kind] for kind in "evd")
    chosen = f"(SELECT id FROM catalogue_entry WHERE id <= {steps['e']} ORDER BY id LIMIT {limit})"
    own = f"'{_MARK}第{copy}批次'"
    _insert(
        connection,
        "catalogue_entry",
        {
            "id": f"id + {entry}",
            "published_version_id": f"published_version_id + {version}",
            "public_id": f"public_id || '-{copy}'",
            "slug": f"slug || '-{copy}'",
            "code": f"code || '-{copy}'",
            "remote_id": "NULL",
            "source_id": "NULL",
        },
        f"id IN {chosen}",
    )
    _insert(
        connection,
        "entry_version",
        {
            "id": f"id + {version}",
            "entry_id": f"entry_id + {entry}",
            "title": f"replace(title, '{_MARK}', {own})",
            "content": f"replace(content, '{_MARK}', {own})",
            "content_hash": f"substr(content_hash, 1, 48) || '-{copy}'",
        },
        f"entry_id IN {chosen}",
    )
    _insert(
        connection,
        "distribution",
        {
            "id": f"id + {file}",
            "entry_id": f"entry_id + {entry}",
            "public_id": f"public_id || '-{copy}'",
        },
        f"entry_id IN {chosen}",
    )
    _insert(
        connection,
        "entry_document",
        {
            "entry_id": f"entry_id + {entry}",
            "package": f"CAST(replace(CAST(package AS TEXT), '{_MARK}', {own}) AS BLOB)",
        },
        f"entry_id IN {chosen}",
    )


def _insert(
    connection: sqlite3.Connection, table: str, changed: Mapping[str, str], where: str
) -> None:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    quoted = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(changed.get(name, f'"{name}"') for name in columns)
    connection.execute(f"INSERT INTO {table} ({quoted}) SELECT {values} FROM {table} WHERE {where}")
