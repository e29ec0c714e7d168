"""What the values of each column look like: blanks, distinct ones, extremes, and a histogram.

Computed once when a table is parsed and kept as JSON, with the hash of the Parquet it describes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self

import duckdb

from portal.tables.column_types import ColumnType
from portal.tables.info import Column, TableInfo

BINS = 20
TOP_VALUES = 10
TOP_LENGTH = 60
MOST_DISTINCT = 10_000
MEMORY_LIMIT = "256MB"
_MOMENTS = frozenset({ColumnType.DATE, ColumnType.DATETIME})


@dataclass(frozen=True)
class Share:
    """How many rows have a value, or lie from `low` (included) to `high`; texts, as in Column."""

    low: str
    high: str
    count: int


@dataclass(frozen=True)
class ColumnProfile:
    """Of a text column the most frequent values, of any other the histogram over its range."""

    field_name: str
    mean: str = ""  # of numbers
    bins: tuple[Share, ...] = ()
    top: tuple[Share, ...] = ()  # low == high

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        return cls(
            values["field_name"],
            values["mean"],
            tuple(Share(**one) for one in values["bins"]),
            tuple(Share(**one) for one in values["top"]),
        )


def make_profile(path: Path, info: TableInfo) -> dict[str, Any]:
    """Return the profiles of all columns of a stored Parquet, as plain JSON."""
    connection = duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "threads": 2})
    try:
        connection.read_parquet(str(path)).create_view("profiled")
        found = profile_columns(connection, "profiled", info.columns)
    finally:
        connection.close()
    return {"parquet_sha256": info.parquet_sha256, "columns": [asdict(one) for one in found]}


def read_profile(values: Mapping[str, Any] | None, info: TableInfo) -> list[ColumnProfile] | None:
    """Return the kept profiles of the columns of `info`; None where they are of another Parquet.

    A table that masks columns has a Parquet of its own: what is known of the values it hides
    never comes along.
    """
    if not values or values.get("parquet_sha256") != info.parquet_sha256:
        return None
    kept = {one["field_name"]: one for one in values["columns"]}
    names = [column.field_name for column in info.columns]
    return [ColumnProfile.from_dict(kept[name]) for name in names if name in kept]


def profile_columns(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column]
) -> list[ColumnProfile]:
    """Return the profile of each column of a relation named in SQL; each reads its column only."""
    return [_profile(connection, relation, column) for column in columns]


def _profile(connection: duckdb.DuckDBPyConnection, relation: str, column: Column) -> ColumnProfile:
    name = f'"{column.field_name}"'
    if column.minimum is None:
        return ColumnProfile(column.field_name)
    if column.type is ColumnType.TEXT:
        return ColumnProfile(column.field_name, top=_top(connection, relation, column))
    value = f"epoch({name})" if column.type in _MOMENTS else f"{name}::DOUBLE"
    row = connection.execute(
        f"SELECT min({value}), max({value}), avg({value}) FROM {relation}"
    ).fetchone()
    low, high, mean = row or (None, None, None)
    if low is None or high is None or not low < high < math.inf:
        return ColumnProfile(column.field_name)
    is_moment = column.type in _MOMENTS
    bins = int(high - low) + 1 if _is_countable(column, low, high) else BINS
    width = 1 if _is_countable(column, low, high) else (high - low) / BINS
    counts = connection.execute(
        f"SELECT least(floor(({value} - $low) / $width), $last)::INTEGER AS bin, count(*)"
        f" FROM {relation} WHERE {name} IS NOT NULL GROUP BY bin",
        {"low": low, "width": width, "last": bins - 1},
    ).fetchall()
    found = dict(counts)
    label = partial(_moment_label, column.type) if is_moment else number_label
    edges = [label(low + width * number) for number in range(bins + 1)]
    step = 0 if width == 1 and bins < BINS else 1  # 0: each bin is one whole number
    shares = [Share(edges[n], edges[n + step], found.get(n, 0)) for n in range(bins)]
    return ColumnProfile(column.field_name, "" if is_moment else number_label(mean), tuple(shares))


def _is_countable(column: Column, low: float, high: float) -> bool:
    """Whether a column of whole numbers has so few that each is a bin of its own."""
    return column.type is ColumnType.INTEGER and high - low < BINS - 1


def _top(connection: duckdb.DuckDBPyConnection, relation: str, column: Column) -> tuple[Share, ...]:
    if column.distinct_count > MOST_DISTINCT:
        return ()  # the most frequent ones say nothing, and cost much
    name = f'"{column.field_name}"'
    rows = connection.execute(
        f"SELECT {name}, count(*) FROM {relation} WHERE {name} IS NOT NULL"
        f" GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {TOP_VALUES}"
    ).fetchall()
    shares = (Share(text[:TOP_LENGTH], text[:TOP_LENGTH], count) for text, count in rows)
    return tuple(shares) if rows and rows[0][1] > 1 else ()


def number_label(value: float) -> str:
    """Return at most six digits that tell something, without an exponent."""
    text = f"{value:.6g}"
    return f"{value:.0f}" if "e+" in text else f"{value:.8f}".rstrip("0") if "e" in text else text


def _moment_label(kind: ColumnType, seconds: float) -> str:
    moment = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    return str(moment.date()) if kind is ColumnType.DATE else moment.isoformat(" ", "minutes")
