"""What may be known of a real table by whoever makes its sandbox.

Of a guarded column (personal, masked or not open) nothing but its type, its share of blanks and its
length in the metadata. Of the others ranges, histograms, shapes of texts, and values that at least
SHARED rows have in common; never a key's value, and never two values that stand together in a row,
but for codes and their names (a column that depends on another one).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from extensions.access.masking import is_masked
from portal.rules.entry_content import InformationItem
from portal.tables.column_types import ColumnType
from portal.tables.info import Column
from portal.tables.profile import Share

SHARED = 5  # rows that have to share a value or a shape before it is used
FEWEST_ROWS = 20  # of a table, before two of its columns are said to belong together
REAL = "real"
_SQL_TYPES = {
    "integer": (ColumnType.INTEGER, "BIGINT"),
    "number": (ColumnType.NUMBER, "DECIMAL(18,{places})"),
    "money": (ColumnType.NUMBER, "DECIMAL(18,{places})"),
    "date": (ColumnType.DATE, "DATE"),
    "datetime": (ColumnType.DATETIME, "TIMESTAMP"),
}
BLANKS_WITHOUT_A_TABLE = 0.1


@dataclass(frozen=True)
class ColumnFacts:
    """`pool` is how many different values there are, 0 for about as many as rows."""

    item: InformationItem
    column: Column
    guarded: bool
    blank_share: float
    is_key: bool = False
    pool: int = 0
    choices: tuple[tuple[Any, int], ...] = ()
    bins: tuple[Share, ...] = ()
    shapes: tuple[tuple[str, int], ...] = ()
    prefix: str = ""
    step: int = 1  # that whole numbers, or the seconds of moments, are multiples of

    @property
    def name(self) -> str:
        return self.column.field_name


@dataclass(frozen=True)
class Sum:
    """In every row the total is what its parts make together."""

    total: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Relations:
    """`depends` leads from a column to the one that decides it, `pairs` gives the values of both
    where they may be known; in each of `ordered` the first is never greater than the second; `sums` are
    totals and their parts; the items `together_unique` make the key together."""

    depends: Mapping[str, str] = field(default_factory=dict)
    pairs: Mapping[str, Mapping[Any, Any]] = field(default_factory=dict)
    ordered: tuple[tuple[str, str], ...] = ()
    sums: tuple[Sum, ...] = ()
    together_unique: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableFacts:
    row_count: int
    columns: tuple[ColumnFacts, ...]
    relations: Relations = Relations()


def is_guarded(item: InformationItem) -> bool:
    return is_masked(item.masking) or item.personal not in ("", "none") or not item.open


def facts_of_items(items: Sequence[InformationItem]) -> TableFacts:
    """Return what the metadata says, for an interface without a table."""
    columns = []
    for item in items:
        column = _column_of(item)
        share = BLANKS_WITHOUT_A_TABLE if item.nullable and not item.primary_key else 0.0
        key = item.primary_key and sum(one.primary_key for one in items) == 1
        columns.append(ColumnFacts(item, column, is_guarded(item), share, is_key=key))
    keys = tuple(item.field_name for item in items if item.primary_key)
    relations = Relations(together_unique=keys if len(keys) > 1 else ())
    return TableFacts(0, tuple(columns), relations)


def _column_of(item: InformationItem) -> Column:
    kind, sql = _SQL_TYPES.get(item.data_type, (ColumnType.TEXT, "VARCHAR"))
    places = (
        (2 if item.precision is None else item.precision) if kind is ColumnType.NUMBER else None
    )
    return Column(item.name, item.field_name, kind, sql.format(places=places), places)
