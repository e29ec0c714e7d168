"""A second table made from a stored one: columns left out or rewritten, the rows kept."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import duckdb

from portal.storage.base import Storage
from portal.tables.column_types import ColumnType
from portal.tables.info import Column, TableInfo
from portal.tables.store import MEMORY_LIMIT, describe_parquet


def derive_table(
    info: TableInfo, storage: Storage, rewritten: Mapping[str, str | None]
) -> TableInfo:
    """Keep a new Parquet with the same rows and `_id`s, and describe it.

    What is known of single rows of the file (`notes`) does not come along: it quotes them.

    Args:
        rewritten: field name -> DuckDB SQL that makes a text of the column, None to leave it out;
            all other columns stay as they are. The SQL is the caller's own, never a user's.

    Raises:
        ValueError: no column is left.
        StorageUnavailable: nothing was kept.
    """
    columns = tuple(
        _column(column, rewritten)
        for column in info.columns
        if rewritten.get(column.field_name, "") is not None
    )
    if not columns:
        raise ValueError("a table without columns")
    with tempfile.TemporaryDirectory(prefix="xiangyun-derive-") as folder:
        connection = duckdb.connect(
            config={"memory_limit": MEMORY_LIMIT, "threads": 2, "temp_directory": folder}
        )
        try:
            source = storage.local_path(info.parquet_sha256)
            path = Path(folder) / "table.parquet"
            _write(connection, str(source), columns, rewritten, path)
            row_count, described, keys = describe_parquet(connection, path, columns)
            with path.open("rb") as file:
                stored = storage.put(file)
        finally:
            connection.close()
    return replace(
        info,
        parquet_sha256=stored.sha256,
        parquet_bytes=stored.size_bytes,
        row_count=row_count,
        columns=described,
        key_fields=keys,
        notes=(),
    )


def _column(column: Column, rewritten: Mapping[str, str | None]) -> Column:
    if column.field_name not in rewritten:
        return column
    return replace(
        column, type=ColumnType.TEXT, sql_type="VARCHAR", decimal_places=None, blank_marks=()
    )


def _write(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    columns: tuple[Column, ...],
    rewritten: Mapping[str, str | None],
    path: Path,
) -> None:
    selected = ", ".join(
        f'({rewritten.get(c.field_name) or _quoted(c)})::{c.sql_type} AS "{c.field_name}"'
        for c in columns
    )
    connection.read_parquet(source).create_view("source")
    target = "'" + str(path).replace("'", "''") + "'"
    connection.execute(
        f"COPY (SELECT _id, {selected} FROM source ORDER BY _id)"
        f" TO {target} (FORMAT parquet, COMPRESSION zstd)"
    )


def _quoted(column: Column) -> str:
    return f'"{column.field_name}"'
