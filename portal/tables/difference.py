"""What changed between two tables: their columns, and their rows by key or as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.tables.column_types import ColumnType
from portal.tables.export_sql import plain_text
from portal.tables.info import Column, TableInfo

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
KINDS = (ADDED, REMOVED, CHANGED)


@dataclass(frozen=True)
class ColumnChange:
    """A column that only one table has, or whose name or type differs; `before` or `after` may be None."""

    kind: str  # one of KINDS
    field_name: str
    before: Column | None
    after: Column | None


@dataclass(frozen=True)
class Comparison:
    """Two tables side by side. `key` are the field names that tell a row; empty: rows as a whole."""

    before: TableInfo
    after: TableInfo
    key: tuple[str, ...]

    @property
    def common(self) -> tuple[str, ...]:
        """Field names that both tables have, in the order of the newer one."""
        old = {column.field_name for column in self.before.columns}
        return tuple(c.field_name for c in self.after.columns if c.field_name in old)

    @property
    def shown(self) -> tuple[str, ...]:
        """Every field name of either table: those of the newer one, then those it lost."""
        names = [column.field_name for column in (*self.after.columns, *self.before.columns)]
        return tuple(dict.fromkeys(names))

    def name_of(self, field_name: str) -> str:
        """Return a column's own name, the newer one's first."""
        for info in (self.after, self.before):
            for column in info.columns:
                if column.field_name == field_name:
                    return column.name
        raise KeyError(field_name)


def compare(before: TableInfo, after: TableInfo, *, known_key: Sequence[str] = ()) -> Comparison:
    """Choose what tells a row apart: one column that is a key in both tables.

    Args:
        known_key: field names that the information items call the primary key; a single one that
            is a key in both tables goes before any other.
    """
    keys = [name for name in after.key_fields if name in before.key_fields]
    open_to_see = {c.field_name for c in before.columns} & {c.field_name for c in after.columns}
    usable = [name for name in keys if name in open_to_see]
    if len(known_key) == 1 and known_key[0] in usable:
        return Comparison(before, after, (known_key[0],))
    return Comparison(before, after, tuple(usable[:1]))


def column_changes(comparison: Comparison) -> tuple[ColumnChange, ...]:
    """Return added, removed and changed columns, in this order."""
    old = {column.field_name: column for column in comparison.before.columns}
    new = {column.field_name: column for column in comparison.after.columns}
    added = [ColumnChange(ADDED, name, None, new[name]) for name in new if name not in old]
    removed = [ColumnChange(REMOVED, name, old[name], None) for name in old if name not in new]
    changed = [
        ColumnChange(CHANGED, name, old[name], new[name])
        for name in comparison.common
        if (old[name].name, old[name].type) != (new[name].name, new[name].type)
    ]
    return (*added, *removed, *changed)


def comparable(column: Column) -> str:
    """Return SQL for a value as text that is the same for 5, 5.0 and 5.00 in any number type."""
    text = plain_text(column)
    if column.type is not ColumnType.NUMBER:
        return text
    return f"CASE WHEN contains({text}, '.') THEN rtrim(rtrim({text}, '0'), '.') ELSE {text} END"


def differences_sql(comparison: Comparison) -> tuple[str, str]:
    """Return SQL that finds the pairs of row numbers that differ, and SQL that shows their values.

    Both read the views `before` and `after`; the second one also `pairs` (before_id, after_id),
    the result of the first. First only hashes are compared, so that a million rows stay small.
    """
    by_key = _pairs_by_key(comparison) if comparison.key else _pairs_of_whole_rows(comparison)
    return by_key, _values_of_pairs(comparison)


def _hash(info: TableInfo, names: Sequence[str]) -> str:
    columns = {column.field_name: column for column in info.columns}
    # A blank is chr(30), and chr(31) stands between cells: no two rows run together.
    cells = [f"coalesce({comparable(columns[name])}, chr(30))" for name in names]
    return f"md5_number(concat_ws(chr(31), {', '.join(cells)}))" if cells else "0"


def _pairs_by_key(comparison: Comparison) -> str:
    def side(info: TableInfo, view: str) -> str:
        columns = {column.field_name: column for column in info.columns}
        keys = ", ".join(
            f"{comparable(columns[name])} AS k{number}"
            for number, name in enumerate(comparison.key)
        )
        return f"SELECT _id, {keys}, {_hash(info, comparison.common)} AS h FROM {view}"

    match = " AND ".join(f"b.k{number} = a.k{number}" for number in range(len(comparison.key)))
    return (
        "SELECT b._id AS before_id, a._id AS after_id"
        f" FROM ({side(comparison.before, 'before')}) b"
        f" FULL JOIN ({side(comparison.after, 'after')}) a ON {match}"
        " WHERE b._id IS NULL OR a._id IS NULL OR b.h <> a.h"
    )


def _pairs_of_whole_rows(comparison: Comparison) -> str:
    """The same row three times in one table and once in the other is two rows of difference."""

    def side(info: TableInfo, view: str) -> str:
        hashed = f"SELECT _id, {_hash(info, comparison.common)} AS h FROM {view}"
        return (
            f"SELECT _id, h, row_number() OVER (PARTITION BY h ORDER BY _id) AS n FROM ({hashed})"
        )

    return (
        "SELECT b._id AS before_id, a._id AS after_id"
        f" FROM ({side(comparison.before, 'before')}) b"
        f" FULL JOIN ({side(comparison.after, 'after')}) a ON b.h = a.h AND b.n = a.n"
        " WHERE b._id IS NULL OR a._id IS NULL"
    )


def _values_of_pairs(comparison: Comparison) -> str:
    def values(info: TableInfo, view: str) -> str:
        columns: Mapping[str, Column] = {c.field_name: c for c in info.columns}
        texts = [
            f'{plain_text(columns[name]) if name in columns else "NULL::VARCHAR"} AS "{view}_{name}"'
            for name in comparison.shown
        ]
        return f"SELECT _id, {', '.join(texts)} FROM {view}"

    shown = ", ".join(f'"before_{name}", "after_{name}"' for name in comparison.shown)
    return (
        f"SELECT CASE WHEN before_id IS NULL THEN '{ADDED}' WHEN after_id IS NULL THEN '{REMOVED}'"
        f" ELSE '{CHANGED}' END AS kind, before_id, after_id, {shown} FROM pairs"
        f" LEFT JOIN ({values(comparison.before, 'before')}) b ON b._id = before_id"
        f" LEFT JOIN ({values(comparison.after, 'after')}) a ON a._id = after_id"
        " ORDER BY kind, coalesce(after_id, before_id)"
    )
