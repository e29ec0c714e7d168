"""Totals: columns that are the sum of two or three others in every row, found and kept to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import combinations
from typing import Any

import duckdb

from extensions.access.synthetic.facts import FEWEST_ROWS, REAL, ColumnFacts, Sum
from portal.tables.column_types import ColumnType

MAX_NUMBERS = 10  # columns of one unit that are tried against each other
MOST_PARTS = 3
LOOKED_AT_FIRST = 1_000  # rows that rule most guesses out
NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
Row = dict[str, Any]


def find_sums(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[ColumnFacts]
) -> tuple[Sum, ...]:
    """Return the totals of the view `real`; each column stands in one of them at most."""
    by_unit: dict[str, list[str]] = {}
    for one in columns:
        is_number = one.column.type in NUMBERS and not one.is_key
        if is_number and one.column.distinct_count > 1:
            by_unit.setdefault(one.item.unit, []).append(one.name)
    guesses = [guess for names in by_unit.values() for guess in _guesses(names[:MAX_NUMBERS])]
    held = _holding(connection, guesses, f" LIMIT {LOOKED_AT_FIRST}")
    found: list[Sum] = []
    taken: set[str] = set()
    for guess in _holding(connection, held, ""):
        if taken.isdisjoint((guess.total, *guess.parts)):
            taken |= {guess.total, *guess.parts}
            found.append(guess)
    return tuple(found)


def _guesses(names: Sequence[str]) -> list[Sum]:
    return [
        Sum(total, parts)
        for count in range(2, MOST_PARTS + 1)
        for parts in combinations(names, count)
        for total in names
        if total not in parts
    ]


def _holding(
    connection: duckdb.DuckDBPyConnection, guesses: Sequence[Sum], limit: str
) -> list[Sum]:
    if not guesses:
        return []
    tests = ", ".join(map(_test, guesses))
    row = connection.execute(f"SELECT {tests} FROM (SELECT * FROM {REAL}{limit})").fetchone() or ()
    return [guess for guess, holds in zip(guesses, row, strict=True) if holds]


def _test(guess: Sum) -> str:
    """Rows with a blank among them say nothing; enough others have to."""
    total = f'"{guess.total}"::DOUBLE'
    parts = " + ".join(f'"{name}"::DOUBLE' for name in guess.parts)
    close = f"abs({total} - ({parts})) <= 1e-9 * greatest(1, abs({total}))"
    return f"coalesce(bool_and({close}), FALSE) AND count({total} + {parts}) >= {FEWEST_ROWS}"


def set_sums(
    row: Row,
    sums: Sequence[Sum],
    columns: Mapping[str, ColumnFacts],
    ordered: Sequence[tuple[str, str]],
) -> None:
    """Let the totals of a row be right: by its last part where that may be so, else by the total."""
    for one in sums:
        values = [row[name] for name in one.parts]
        if row[one.total] is None or None in values:
            continue
        last = one.parts[-1]
        rest = row[one.total] - sum(values[:-1])
        if _may_be(columns[last], rest) and _keeps_order({**row, last: rest}, ordered):
            row[last] = rest
        else:
            row[one.total] = sum(values)


def _may_be(facts: ColumnFacts, value: Any) -> bool:
    """Whether the column could hold the value: by its range, its step and its decimals."""
    low, high = facts.column.minimum, facts.column.maximum
    if low is None or high is None or not Decimal(low) <= value <= Decimal(high):
        return False
    if facts.column.type is ColumnType.INTEGER:
        is_known = not facts.choices or value in {choice for choice, _ in facts.choices}
        return is_known and value == int(value) and value % facts.step == 0
    places = facts.column.sql_type.rpartition(",")[2].rstrip(")")
    return not places.isdigit() or value == round(value, int(places))


def _keeps_order(row: Row, ordered: Sequence[tuple[str, str]]) -> bool:
    return all(
        row[lesser] is None or row[greater] is None or row[lesser] <= row[greater]
        for lesser, greater in ordered
    )
