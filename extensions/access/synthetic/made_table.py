"""The made-up rows as a stored table, which the gateway serves like any other."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from extensions.access.synthetic.facts import (
    REAL,
    ColumnFacts,
    TableFacts,
    facts_of_items,
)
from extensions.access.synthetic.measuring import measure
from extensions.access.synthetic.rows import Meeting, Row, make_rows, seed_of
from portal.rules.entry_content import InformationItem
from portal.storage.base import Storage
from portal.tables.info import Column, TableInfo
from portal.tables.json_values import decimal_text
from portal.tables.store import describe_parquet

MEMORY_LIMIT = "256MB"


def make_table(
    storage: Storage,
    items: Mapping[str, InformationItem],
    real: TableInfo | None,
    *,
    name: str,
) -> TableInfo | None:
    """Make a table of invented rows and keep it; the same question gives the same table.

    Args:
        items: by field name, those that the interface may give.
        real: the table whose shape it takes; None for an interface that has none.
        name: what the seed is made of, with the facts.

    Returns:
        None if there is no item to make a column for.
    """
    with tempfile.TemporaryDirectory(prefix="xiangyun-sandbox-") as folder:
        connection = duckdb.connect(
            config={"memory_limit": MEMORY_LIMIT, "threads": 1, "temp_directory": folder}
        )
        try:
            facts, rows = _made(connection, storage, items, real, name)
            if not facts.columns:
                return None
            return _kept(connection, storage, facts, rows, Path(folder) / "table.parquet")
        finally:
            connection.close()


def _made(
    connection: duckdb.DuckDBPyConnection,
    storage: Storage,
    items: Mapping[str, InformationItem],
    real: TableInfo | None,
    name: str,
) -> tuple[TableFacts, list[Row]]:
    """Return facts and rows. A table that leaves nothing unlike itself is only taken as metadata."""
    if real is not None:
        path = storage.local_path(real.parquet_sha256)
        connection.read_parquet(str(path)).create_view(REAL)
        facts = measure(connection, real, items)
        rows = make_rows(facts, seed_of(name), _meeting(connection, facts))
        if rows or not facts.columns:
            return facts, rows
        items = {one.name: one.item for one in facts.columns}
        facts = _typed_alike(facts_of_items(list(items.values())), facts)
        return facts, make_rows(facts, seed_of(name), _meeting(connection, facts))
    facts = facts_of_items(list(items.values()))
    return facts, make_rows(facts, seed_of(name), lambda _rows, _names: set())


def _typed_alike(plain: TableFacts, measured: TableFacts) -> TableFacts:
    """Return the facts of the metadata with the types that the real columns have."""
    columns = tuple(
        ColumnFacts(one.item, Column(
            real.column.name, real.name, real.column.type, real.column.sql_type,
            real.column.decimal_places,
        ), guarded=True, blank_share=real.blank_share)
        for one, real in zip(plain.columns, measured.columns, strict=True)
    )  # fmt: skip
    return TableFacts(0, columns)


def _meeting(connection: duckdb.DuckDBPyConnection, facts: TableFacts) -> Meeting:
    columns = {one.name: one.column for one in facts.columns}

    def meeting(rows: Sequence[Row], names: Sequence[str]) -> set[int]:
        cursor = connection.cursor()
        cursor.register("asked", _texts(rows, [columns[name] for name in names]))
        same = " AND ".join(
            f'CAST(asked."{name}" AS {columns[name].sql_type}) IS NOT DISTINCT FROM real."{name}"'
            for name in names
        )
        if len(names) == 1:
            same += f' AND asked."{names[0]}" IS NOT NULL'
        found = cursor.execute(f"SELECT _id FROM asked SEMI JOIN {REAL} ON {same}").fetchall()
        cursor.close()
        return {place for (place,) in found}

    return meeting


def _texts(rows: Sequence[Row], columns: Sequence[Column], *, first: int = 0) -> pa.Table:
    """Return the rows with every value as text, and their places as `_id`."""
    arrays = [pa.array(range(first, first + len(rows)), pa.int64())]
    for column in columns:
        values = (row[column.field_name] for row in rows)
        arrays.append(pa.array([None if v is None else _text(v) for v in values], pa.string()))
    return pa.table(arrays, names=["_id", *(column.field_name for column in columns)])


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return decimal_text(value)
    return value.isoformat(" ") if isinstance(value, datetime) else str(value)


def _kept(
    connection: duckdb.DuckDBPyConnection,
    storage: Storage,
    facts: TableFacts,
    rows: Sequence[Row],
    path: Path,
) -> TableInfo:
    columns = [
        Column(c.name, c.field_name, c.type, c.sql_type, c.decimal_places)
        for c in (one.column for one in facts.columns)
    ]
    cursor = connection.cursor()
    cursor.register("made", _texts(rows, columns, first=1))
    cast = ", ".join(f'CAST("{c.field_name}" AS {c.sql_type}) AS "{c.field_name}"' for c in columns)
    quoted = "'" + str(path).replace("'", "''") + "'"
    cursor.execute(
        f"COPY (SELECT _id, {cast} FROM made ORDER BY _id) TO {quoted}"
        " (FORMAT parquet, COMPRESSION zstd)"
    )
    cursor.close()
    count, described, keys = describe_parquet(connection.cursor(), path, columns)
    with path.open("rb") as file:
        stored = storage.put(file)
    return TableInfo(
        parquet_sha256=stored.sha256,
        parquet_bytes=stored.size_bytes,
        row_count=count,
        columns=described,
        key_fields=keys,
    )
