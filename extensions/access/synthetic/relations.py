"""How columns of a real table hang together, as far as it is cheap to find out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import duckdb

from extensions.access.synthetic.facts import FEWEST_ROWS, REAL, ColumnFacts, Relations
from extensions.access.synthetic.sums import find_sums
from portal.tables.column_types import ColumnType
from portal.tables.info import TableInfo

MAX_RELATED = 12  # columns that are compared with each other
RELATION_ROWS = 200_000
_MOMENTS = (ColumnType.DATE, ColumnType.DATETIME)


def related(
    connection: duckdb.DuckDBPyConnection, info: TableInfo, columns: Sequence[ColumnFacts]
) -> Relations:
    """Return how the unguarded ones of the columns depend on each other."""
    known = [one for one in columns if not one.guarded]
    depends = _dependencies(connection, info, known)
    return Relations(
        depends=depends,
        pairs=_pairs(connection, depends, {one.name: one for one in known}),
        ordered=_ordered(connection, info, known),
        sums=find_sums(connection, [one for one in known if one.name not in depends]),
        together_unique=_together_unique(connection, info, columns),
    )


def _dependencies(
    connection: duckdb.DuckDBPyConnection, info: TableInfo, columns: Sequence[ColumnFacts]
) -> dict[str, str]:
    """Return dependent column -> the column that decides it: a code and its name, say."""
    few = [
        one
        for one in columns
        if one.pool > 1 and not one.blank_share and (one.choices or not one.bins)
    ]
    few = sorted(few, key=lambda one: -one.pool)[:MAX_RELATED]
    if info.row_count < FEWEST_ROWS or len(few) < 2:
        return {}
    pairs = list(combinations(few, 2))  # of two, only the one with more values can decide
    counts = ", ".join(f'count(DISTINCT ("{a.name}", "{b.name}"))' for a, b in pairs)
    singles = ", ".join(f'count(DISTINCT "{one.name}")' for one in few)
    row = connection.execute(
        f"SELECT {singles}, {counts} FROM (SELECT * FROM {REAL} LIMIT {RELATION_ROWS})"
    ).fetchone()
    found = list(row or ())
    single = {one.name: count for one, count in zip(few, found, strict=False)}
    depends: dict[str, str] = {}
    for (a, b), count in zip(pairs, found[len(few) :], strict=True):
        if count == single[a.name] and b.name not in depends:
            depends[b.name] = a.name
    return depends


def _pairs(
    connection: duckdb.DuckDBPyConnection,
    depends: Mapping[str, str],
    columns: Mapping[str, ColumnFacts],
) -> dict[str, dict[Any, Any]]:
    """Return, for dependent columns, value -> value, where both columns' values may be known."""
    found = {}
    for dependent, deciding in depends.items():
        if columns[dependent].choices and columns[deciding].choices:
            rows = connection.execute(
                f'SELECT "{deciding}", min("{dependent}") FROM {REAL}'
                f' WHERE "{deciding}" IS NOT NULL GROUP BY 1 ORDER BY 1'
            ).fetchall()
            found[dependent] = dict(rows)
    return found


def _ordered(
    connection: duckdb.DuckDBPyConnection, info: TableInfo, columns: Sequence[ColumnFacts]
) -> tuple[tuple[str, str], ...]:
    """Return pairs of like columns where the first is never greater: a begin and an end, say."""
    if info.row_count < FEWEST_ROWS:
        return ()
    like: dict[tuple[bool, str], list[str]] = {}
    for one in columns:
        if one.column.type is not ColumnType.TEXT and not one.is_key and not one.choices:
            moment = one.column.type in _MOMENTS
            like.setdefault((moment, one.item.unit), []).append(one.name)
    pairs = [
        pair
        for names in like.values()
        for a, b in combinations(names[:MAX_RELATED], 2)
        for pair in ((a, b), (b, a))
    ]
    if not pairs:
        return ()
    tests = ", ".join(f'coalesce(bool_and("{a}" <= "{b}"), FALSE)' for a, b in pairs)
    row = connection.execute(f"SELECT {tests} FROM {REAL}").fetchone() or ()
    return tuple(pair for pair, holds in zip(pairs, row, strict=True) if holds)


def _together_unique(
    connection: duckdb.DuckDBPyConnection, info: TableInfo, columns: Sequence[ColumnFacts]
) -> tuple[str, ...]:
    """Return the items that make the key together, if the table keeps to it."""
    keys = [one for one in columns if one.item.primary_key]
    if len(keys) < 2 or any(one.guarded for one in keys):
        return ()
    names = ", ".join(f'"{one.name}"' for one in keys)
    row = connection.execute(f"SELECT count(DISTINCT ({names})) FROM {REAL}").fetchone()
    return tuple(one.name for one in keys) if row and row[0] == info.row_count else ()
