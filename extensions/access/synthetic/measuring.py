"""A look at the real table: what of each column may be known."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

import duckdb

from extensions.access.synthetic.facts import (
    FEWEST_ROWS,
    REAL,
    SHARED,
    ColumnFacts,
    TableFacts,
    is_guarded,
)
from extensions.access.synthetic.relations import related
from extensions.access.synthetic.shapes import LONGEST, shape_sql
from portal.rules.entry_content import InformationItem
from portal.tables.column_types import ColumnType
from portal.tables.info import Column, TableInfo
from portal.tables.profile import profile_columns

MAX_CHOICES = 30
MAX_KEY_CHOICES = 10  # of an item that makes a key with others: a direction, no list of names
MAX_SHAPES = 8
MAX_POOL = 2_000
INTEGER_STEPS = (1_000, 100, 10, 5)
SECOND_STEPS = (86_400, 3_600, 60)


def measure(
    connection: duckdb.DuckDBPyConnection,
    info: TableInfo,
    items: Mapping[str, InformationItem],
) -> TableFacts:
    """Look at the view `real` of the connection, at the columns that have an item."""
    given = [column for column in info.columns if column.field_name in items]
    found = tuple(_measured(connection, info, column, items[column.field_name]) for column in given)
    return TableFacts(info.row_count, found, related(connection, info, found))


def _measured(
    connection: duckdb.DuckDBPyConnection, info: TableInfo, column: Column, item: InformationItem
) -> ColumnFacts:
    share = column.blank_count / info.row_count if info.row_count else 0.0
    is_key = column.field_name in info.key_fields and info.row_count >= FEWEST_ROWS
    is_key = is_key or (item.primary_key and column.field_name in info.key_fields)
    if is_guarded(item):
        return ColumnFacts(item, _bare(column), True, share, is_key)
    pool = 0 if is_key or column.distinct_count * 2 > info.row_count else column.distinct_count
    most = MAX_KEY_CHOICES if item.primary_key else MAX_CHOICES
    choices = () if is_key else _choices(connection, column, most)
    is_text = column.type is ColumnType.TEXT
    return ColumnFacts(
        item,
        column,
        False,
        share,
        is_key,
        pool=min(pool, MAX_POOL),
        choices=choices,
        bins=() if is_text else profile_columns(connection, REAL, [column])[0].bins,
        shapes=_shapes(connection, column) if is_text else (),
        prefix=_prefix(column) if is_text and info.row_count >= SHARED else "",
        step=_step(connection, column),
    )


def _bare(column: Column) -> Column:
    """Return the column without what is known of its values."""
    return Column(
        column.name, column.field_name, column.type, column.sql_type, column.decimal_places
    )


def _choices(
    connection: duckdb.DuckDBPyConnection, column: Column, most: int
) -> tuple[tuple[Any, int], ...]:
    """Return the values of a column that has few, if each of them is shared by enough rows."""
    if column.type not in (ColumnType.TEXT, ColumnType.INTEGER):
        return ()
    if not 1 <= column.distinct_count <= most:
        return ()
    name = f'"{column.field_name}"'
    rows = connection.execute(
        f"SELECT {name}, count(*) FROM {REAL} WHERE {name} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    shared = tuple((value, count) for value, count in rows if count >= SHARED)
    return shared if len(shared) == len(rows) else ()


def _shapes(connection: duckdb.DuckDBPyConnection, column: Column) -> tuple[tuple[str, int], ...]:
    if (column.max_length or 0) > LONGEST:
        return ()
    name = f'"{column.field_name}"'
    rows = connection.execute(
        f"SELECT {shape_sql(name)} AS shape, count(*) FROM {REAL} WHERE {name} IS NOT NULL"
        f" GROUP BY 1 HAVING count(*) >= {SHARED} ORDER BY 2 DESC, 1 LIMIT {MAX_SHAPES}"
    ).fetchall()
    return tuple((shape, count) for shape, count in rows)


def _step(connection: duckdb.DuckDBPyConnection, column: Column) -> int:
    """Return the largest step that all values keep to: full hours, round sums."""
    name = f'"{column.field_name}"'
    value = {ColumnType.INTEGER: name, ColumnType.DATETIME: f"epoch({name})::BIGINT"}
    if column.type not in value or column.distinct_count < SHARED:
        return 1
    steps = INTEGER_STEPS if column.type is ColumnType.INTEGER else SECOND_STEPS
    tests = ", ".join(f"bool_and({value[column.type]} % {step} = 0)" for step in steps)
    row = connection.execute(f"SELECT {tests} FROM {REAL}").fetchone() or ()
    return next((step for step, holds in zip(steps, row, strict=True) if holds), 1)


def _prefix(column: Column) -> str:
    """Return what all texts begin with: the least and the greatest have it in common."""
    least, greatest = column.minimum or "", column.maximum or ""
    alike = zip(least, greatest, strict=False)
    return least[: sum(1 for _ in takewhile(lambda two: two[0] == two[1], alike))]
