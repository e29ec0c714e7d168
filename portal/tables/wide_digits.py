"""Full-width digits (１２．５), which are numbers and dates like any other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb

WIDE, NARROW = "０１２３４５６７８９．，－＋：／　", "0123456789.,-+:/ "
COLUMNS_A_QUERY = 200


def wide_columns(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str], rows: int
) -> frozenset[str]:
    """Return the columns of a relation with such digits among the first rows."""
    found: set[str] = set()
    for start in range(0, len(columns), COLUMNS_A_QUERY):
        part = columns[start : start + COLUMNS_A_QUERY]
        tests = ", ".join(
            f"bool_or(regexp_matches({column}, '[０-９]|－[0-9]'))" for column in part
        )
        row = connection.execute(f"SELECT {tests} FROM {relation} WHERE _id <= {rows}").fetchone()
        found |= {column for column, is_wide in zip(part, row or (), strict=True) if is_wide}
    return frozenset(found)


def narrow(relation: str, wide: Iterable[str]) -> str:
    """Return the relation with plain digits in those columns: what a number is, is decided by it."""
    replaced = ", ".join(f"{narrowed(column)} AS {column}" for column in sorted(wide))
    return f"(SELECT * REPLACE ({replaced}) FROM {relation})" if replaced else relation


def narrowed(column: str) -> str:
    """Return SQL for the text with plain digits."""
    return f"translate({column}, '{WIDE}', '{NARROW}')"
