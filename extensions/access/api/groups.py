"""Groups of rows, and the rule that none of them may be so small that it tells of one person.

Where a table holds personal or masked items, groups below SMALLEST_GROUP rows are merged. If they
are together still too small, the smallest of the others joins them, so that nobody can subtract
what is shown from a total and find them.

Source: domain/measures.md, art. 45 (protection of personal information); the number is the portal's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from portal.tables.column_types import ColumnType
from portal.tables.info import Column

SMALLEST_GROUP = 5
MEAN_DIGITS = 12


@dataclass(frozen=True)
class Measured:
    """What is known of one column in a group; enough to merge it with another group's."""

    total: Decimal | None
    count: int  # of values that are not blank
    least: Decimal | int | date | None
    greatest: Decimal | int | date | None


@dataclass(frozen=True)
class Group:
    """`keys` by field name; `merged` how many groups it was made of, 0 for a group as it is."""

    keys: Mapping[str, Any]
    rows: int
    measured: Mapping[str, Measured]
    merged: int = 0

    @classmethod
    def of_row(cls, row: Sequence[Any], by: Sequence[str], columns: Sequence[Column]) -> Group:
        """Return the group of a row of the statement: keys, count, four values a column."""
        keys = dict(zip(by, row, strict=False))
        place = len(by) + 1
        measured = {}
        for column in columns:
            total, count, least, greatest = row[place : place + 4]
            exact = None if total is None else Decimal(total)
            measured[column.field_name] = Measured(
                exact, count, _trimmed(least, column), _trimmed(greatest, column)
            )
            place += 4
        return cls(keys, row[len(by)], measured)

    def value(self, function: str, name: str) -> Any:
        """Return a measure; None where every value is blank."""
        if function == "count":
            return self.rows
        one = self.measured[name]
        if function == "sum":
            return _plain(one.total)
        if function == "mean":
            return _mean(one)
        return one.least if function == "min" else one.greatest


def guarded_groups(groups: Sequence[Group]) -> tuple[list[Group], Group | None]:
    """Return the groups that may be shown, and the others as one (None if nothing may be told)."""
    small = [group for group in groups if group.rows < SMALLEST_GROUP]
    shown = [group for group in groups if group.rows >= SMALLEST_GROUP]
    if not small:
        return shown, None
    if sum(group.rows for group in small) < SMALLEST_GROUP and shown:
        least = min(shown, key=lambda group: group.rows)
        shown.remove(least)
        small.append(least)
    rest = _merged(small)
    return shown, rest if rest.rows >= SMALLEST_GROUP else None


def _merged(groups: Sequence[Group]) -> Group:
    names = groups[0].measured
    measured = {name: _together([group.measured[name] for group in groups]) for name in names}
    return Group({}, sum(group.rows for group in groups), measured, len(groups))


def _together(parts: Sequence[Measured]) -> Measured:
    totals = [part.total for part in parts if part.total is not None]
    least = [part.least for part in parts if part.least is not None]
    greatest = [part.greatest for part in parts if part.greatest is not None]
    return Measured(
        sum(totals, Decimal()) if totals else None,
        sum(part.count for part in parts),
        min(least, default=None),
        max(greatest, default=None),
    )


def _mean(one: Measured) -> Any:
    if one.total is None or not one.count:
        return None
    mean = one.total / one.count
    return _plain(Decimal(f"{mean:.{MEAN_DIGITS}g}"))


def _trimmed(value: Any, column: Column) -> Any:
    if column.type is ColumnType.NUMBER and column.decimal_places is None:
        return _plain(value)
    return value


def _plain(value: Decimal | None) -> Decimal | None:
    """Drop zeros behind the point that a shared scale adds."""
    if value is None:
        return None
    whole = value.to_integral_value()
    return Decimal(int(value)) if value == whole else value.normalize()
