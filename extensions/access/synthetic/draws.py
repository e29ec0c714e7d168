"""One value after another for a column, by what is known of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from extensions.access.synthetic.facts import ColumnFacts
from extensions.access.synthetic.invented import (
    DEFAULT_MOST,
    FIRST_DAY,
    OTHER_DAYS,
    day_of,
    text_of,
)
from extensions.access.synthetic.shapes import fill, free_places
from portal.codes import FOLDER, code_list
from portal.tables.column_types import ColumnType
from portal.tables.profile import Share

Draw = Callable[[Random], Any]
EPOCH = datetime(1970, 1, 1)
PREFIX_ROOM = 4_000  # a prefix is shortened until so many texts begin with it
_SCALE = re.compile(r"DECIMAL\((\d+),(\d+)\)")


def draw_of(facts: ColumnFacts, random: Random) -> Draw:
    """Return what draws values of the column; made with `random` where it needs a pool first."""
    if facts.guarded:
        return _unknown(facts)
    if facts.choices:
        values = [value for value, _ in facts.choices]
        weights = [count for _, count in facts.choices]
        return lambda r: r.choices(values, weights)[0]
    if facts.column.type is not ColumnType.TEXT:
        return _ranged(facts)
    draw = _coded(facts) or _shaped(facts) or _unknown(facts)
    if not facts.pool:
        return draw
    pool = [draw(random) for _ in range(facts.pool)]
    return lambda r: r.choice(pool)


def fresh(facts: ColumnFacts, attempt: int) -> Draw:
    """Return what draws a value for one that met a real one; wider with each attempt."""
    if facts.is_key and facts.column.type is ColumnType.INTEGER and not facts.guarded:
        start = int(facts.column.maximum or 0) + 1
        return lambda r: start + r.randrange(10_000 * (attempt + 1))
    if not facts.guarded or facts.column.type is ColumnType.TEXT:
        return draw_of(facts, Random(attempt)) if facts.is_key else _unknown(facts)
    return _elsewhere(facts, attempt)


@dataclass(frozen=True)
class Range:
    """A histogram as a source of numbers: seconds for dates and times."""

    bins: tuple[tuple[float, float], ...]
    weights: tuple[int, ...]

    def draw(self, random: Random) -> float:
        low, high = random.choices(self.bins, self.weights)[0]
        return random.uniform(low, high)


def _ranged(facts: ColumnFacts) -> Draw:
    column = facts.column
    read = _seconds if column.type in (ColumnType.DATE, ColumnType.DATETIME) else float
    low, high = column.minimum, column.maximum
    if low is None or high is None:
        return _unknown(facts)
    bins = tuple(_edges(one, read) for one in facts.bins) or ((read(low), read(high)),)
    weights = tuple(one.count for one in facts.bins) or (1,)
    source = Range(bins, weights if any(weights) else (1,) * len(bins))
    least, most = _value(column.type, read(low), facts), _value(column.type, read(high), facts)
    return lambda r: min(max(_value(column.type, source.draw(r), facts), least), most)


def _edges(share: Share, read: Callable[[str], float]) -> tuple[float, float]:
    return read(share.low), read(share.high)


def _seconds(text: str) -> float:
    return (datetime.fromisoformat(text) - EPOCH).total_seconds()


def _value(kind: ColumnType, number: float, facts: ColumnFacts) -> Any:
    if kind is ColumnType.INTEGER:
        return round(number / facts.step) * facts.step
    if kind is ColumnType.NUMBER:
        return _decimal(number, facts)
    moment = EPOCH + timedelta(seconds=round(number / facts.step) * facts.step)
    return moment.date() if kind is ColumnType.DATE else moment


def _decimal(number: float, facts: ColumnFacts) -> Decimal:
    found = _SCALE.fullmatch(facts.column.sql_type)
    places = int(found.group(2)) if found else 6
    return Decimal(repr(number)).quantize(Decimal(1).scaleb(-places))


def _coded(facts: ColumnFacts) -> Draw | None:
    """Draw from the code list that the information item names, if it is one of ours."""
    name = facts.item.code_list
    if not name.isidentifier() or not (FOLDER / f"{name}.csv").exists():
        return None
    codes = [one.code for one in code_list(name)]
    fitting = [code for code in codes if not facts.item.length or len(code) <= facts.item.length]
    return (lambda r: r.choice(fitting)) if fitting else None


def _shaped(facts: ColumnFacts) -> Draw | None:
    if not facts.shapes:
        return None
    shapes, weights = [s for s, _ in facts.shapes], [count for _, count in facts.shapes]
    prefix = facts.prefix
    while prefix and min(free_places(shape, prefix) for shape in shapes) < PREFIX_ROOM:
        prefix = prefix[:-1]
    return lambda r: fill(r.choices(shapes, weights)[0], r, prefix)


def _unknown(facts: ColumnFacts) -> Draw:
    """Invent by the information item alone."""
    kind, item = facts.column.type, facts.item
    if kind is ColumnType.TEXT:
        return lambda r: text_of(item, r)
    if kind is ColumnType.INTEGER:
        return lambda r: r.randrange(DEFAULT_MOST)
    if kind is ColumnType.NUMBER:
        most = _room(facts)
        return lambda r: _decimal(r.uniform(0, most), facts)
    if kind is ColumnType.DATE:
        return day_of
    return lambda r: (
        datetime.combine(day_of(r), datetime.min.time()) + timedelta(seconds=r.randrange(86_400))
    )


def _elsewhere(facts: ColumnFacts, attempt: int) -> Draw:
    """Draw from farther and farther away, so that a dense column leaves room at last."""
    kind = facts.column.type
    if kind is ColumnType.INTEGER:
        return lambda r: r.randrange(DEFAULT_MOST * 10 ** min(attempt + 1, 9))
    if kind is ColumnType.NUMBER:
        return _unknown(facts)
    if kind is ColumnType.DATE:
        return lambda r: _far_day(r)
    return lambda r: (
        datetime.combine(_far_day(r), datetime.min.time()) + timedelta(seconds=r.randrange(86_400))
    )


def _far_day(random: Random) -> date:
    return FIRST_DAY - timedelta(days=random.randrange(OTHER_DAYS))


def _room(facts: ColumnFacts) -> float:
    """Return a number that the column's decimals can hold, 1,000 at most."""
    found = _SCALE.fullmatch(facts.column.sql_type)
    digits = int(found.group(1)) - int(found.group(2)) if found else 3
    return float(min(DEFAULT_MOST, 10**digits)) - 1 if digits else 0.9
