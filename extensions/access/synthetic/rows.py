"""Rows out of values: blanks, keys, dependent columns, orders; and what meets the real table goes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from extensions.access.synthetic.draws import draw_of, fresh
from extensions.access.synthetic.facts import ColumnFacts, TableFacts
from extensions.access.synthetic.sums import set_sums

FEWEST, MOST = 200, 1_000
ATTEMPTS = 25
Row = dict[str, Any]
Meeting = Callable[[Sequence[Row], Sequence[str]], set[int]]
"""Says which of the rows (by place) agree with some real row in all the named columns."""


def seed_of(*parts: object) -> int:
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8])


def make_rows(facts: TableFacts, seed: int, meeting: Meeting) -> list[Row]:
    """Return as many rows as the table has, FEWEST at least and MOST at most.

    None of them is a row of the real table, none of their keys one of its keys, and no value of
    a guarded column one of its values. The same facts and seed give the same rows.
    """
    count = min(max(facts.row_count, FEWEST), MOST)
    columns = {one.name: _column(facts, one, seed, count) for one in facts.columns}
    for one in _deciding_first(facts):
        columns[one] = _dependent(facts, one, columns, seed)
    rows = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    by_name = {one.name: one for one in facts.columns}
    for row in rows:
        _set_in_order(row, facts.relations.ordered)
        set_sums(row, facts.relations.sums, by_name, facts.relations.ordered)
    apart = [[one.name] for one in facts.columns if one.guarded or one.is_key]
    for names in apart:
        _redraw(facts, rows, names, seed, meeting)
    return _without_real_rows(facts, rows, meeting)


def _column(facts: TableFacts, one: ColumnFacts, seed: int, count: int) -> list[Any]:
    """Return the values of one column; of a key all different."""
    random = Random(seed_of(seed, one.name))
    draw = draw_of(one, random)
    values: list[Any] = []
    taken: set[Any] = set()
    for _ in range(count):
        value = draw(random)
        for attempt in range(ATTEMPTS * one.is_key):
            if value not in taken:
                break
            value = fresh(one, attempt)(random)
        taken.add(value)
        values.append(value)
    if not one.is_key:
        for place in random.sample(range(count), round(one.blank_share * count)):
            values[place] = None
    return values


def _deciding_first(facts: TableFacts) -> list[str]:
    """Return the dependent columns, each behind the one that decides it."""
    return sorted(facts.relations.depends, key=lambda name: len(_chain(facts, name)))


def _chain(facts: TableFacts, name: str) -> list[str]:
    chain = []
    while name in facts.relations.depends:
        name = facts.relations.depends[name]
        chain.append(name)
    return chain


def _dependent(
    facts: TableFacts, name: str, columns: Mapping[str, Sequence[Any]], seed: int
) -> list[Any]:
    """Return values of a dependent column: the same wherever the deciding one has the same, and
    different ones where there are as many as of the deciding one."""
    by_name = {one.name: one for one in facts.columns}
    one, deciding = by_name[name], facts.relations.depends[name]
    one_to_one = one.pool == by_name[deciding].pool and not one.choices
    random = Random(seed_of(seed, name, "dependent"))
    draw = draw_of(replace(one, pool=0) if one_to_one else one, random)
    known = dict(facts.relations.pairs.get(name, {}))
    taken: set[Any] = set()
    for value in dict.fromkeys(columns[deciding]):
        if value in known:
            continue
        known[value] = draw(random)
        for _ in range(ATTEMPTS * one_to_one):
            if known[value] not in taken:
                break
            known[value] = draw(random)
        taken.add(known[value])
    return [known[value] for value in columns[deciding]]


def _set_in_order(row: Row, ordered: Sequence[tuple[str, str]]) -> None:
    """Raise what has to be the greater one; the columns' ranges lie in the same order."""
    for _ in range(2):  # a chain of three settles with the second look
        for lesser, greater in ordered:
            low, high = row[lesser], row[greater]
            if low is not None and high is not None and low > high:
                row[greater] = low


def _redraw(
    facts: TableFacts, rows: list[Row], names: Sequence[str], seed: int, meeting: Meeting
) -> None:
    """Draw again what meets the real column; blank at last what cannot be kept apart."""
    one = next(c for c in facts.columns if c.name == names[0])
    for attempt in range(ATTEMPTS):
        met = sorted(meeting(rows, names))
        if not met:
            return
        random = Random(seed_of(seed, one.name, attempt))
        draw = fresh(one, attempt)
        taken = {row[one.name] for row in rows} if one.is_key else set()
        for place in met:
            value = draw(random)
            rows[place][one.name] = rows[place][one.name] if value in taken else value
            taken |= {value} if one.is_key else set()
    for place in meeting(rows, names):
        rows[place][one.name] = None


def _without_real_rows(facts: TableFacts, rows: list[Row], meeting: Meeting) -> list[Row]:
    """Leave out rows that the real table has too, and repetitions of a key."""
    keys: list[tuple[str, ...]] = [(one.name,) for one in facts.columns if one.is_key]
    keys += [facts.relations.together_unique] if facts.relations.together_unique else []
    taken: dict[tuple[str, ...], set[Any]] = {names: set() for names in keys}
    real = meeting(rows, [one.name for one in facts.columns])
    kept = []
    for place, row in enumerate(rows):
        values = {names: tuple(row[name] for name in names) for names in keys}
        repeated = any(None in key or key in taken[names] for names, key in values.items())
        if place in real or repeated:
            continue
        for names, key in values.items():
            taken[names].add(key)
        kept.append(row)
    return kept
