"""Pages of rows and export statements on stored tables."""

from __future__ import annotations

import atexit
import contextlib
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from pyarrow.parquet import ParquetFile

from portal.storage.base import Storage
from portal.tables.column_types import ColumnType
from portal.tables.groups import MAX_GROUPS, GroupQuery, Groups, compile_groups, groups_of
from portal.tables.info import Column, TableInfo
from portal.tables.native_tables import NativeTables
from portal.tables.profile import ColumnProfile, profile_columns
from portal.tables.query import CompiledQuery, TableQuery, compile_query
from portal.tables.stream import StepLimits, Stream, engine_errors
from portal.tables.watchdog import Watchdog

PROFILE_SECONDS = 20.0
MAX_HEAD_ROWS = 1000
# Totals that are remembered, and the characters of a question's values: who pages or asks again
# waits for no second count.
MAX_TOTALS, MAX_QUESTION = 2_000, 500


@dataclass(frozen=True)
class TablePage:
    """One page of rows, keyed by field name: str, int, Decimal, date, datetime or None."""

    rows: list[dict[str, Any]]
    total: int | None  # rows that fit the filters; None when not asked for
    columns: tuple[Column, ...]
    last_id: int | None  # `after_id` of the next page; None on an empty page
    ids: tuple[int, ...] = ()  # of the rows, from 1 in the order of the file


class TableCache:
    """Queries on tables; share one object a process, among all its threads.

    Args:
        folder: of the native files; several processes may share it. Holds nothing lasting.
        max_bytes: of the native files together; the longest unused go first.
        memory_limit: DuckDB's, for all queries of this process together.
        query_seconds: after which a page's statement is stopped.
    """

    def __init__(
        self,
        folder: Path,
        storage: Storage,
        *,
        max_bytes: int = 8 * 1024**3,
        memory_limit: str = "256MB",
        threads: int = 2,
        query_seconds: float = 2.0,
    ) -> None:
        self._tables = NativeTables(
            folder, storage, max_bytes=max_bytes, memory_limit=memory_limit, threads=threads
        )
        self._query_seconds = query_seconds
        self._watchdog = Watchdog()
        self._totals: dict[tuple[str, str, tuple[Any, ...]], int] = {}  # a table never changes
        atexit.register(_close, weakref.ref(self))

    def run(
        self,
        info: TableInfo,
        query: TableQuery,
        *,
        with_total: bool = True,
        seconds: float | None = None,
    ) -> TablePage:
        """Return one page, within `seconds` (None: the cache's own limit).

        Raises:
            Invalid: the query does not fit the table.
            Unavailable: it took too long or too much memory.
            ObjectMissing, StorageUnavailable: the Parquet cannot be had.
        """
        compiled = compile_query(info, query)
        if _is_head(compiled) and not self._tables.is_ready(info):
            return first_rows(self._tables.parquet_path(info), info, compiled)
        with self._tables.use(info) as table, engine_errors():
            cursor = self._tables.thread_cursor()
            with self._watchdog.limit(cursor, seconds or self._query_seconds):
                rows = self._rows(cursor, table, compiled)
                total = None
                if with_total:
                    total = self._total(cursor, table, info, compiled, len(rows))
        names = [column.field_name for column in compiled.columns]
        return TablePage(
            rows=[dict(zip(names, row[1:], strict=True)) for row in rows],
            total=total,
            columns=compiled.columns,
            last_id=rows[-1][0] if rows else None,
            ids=tuple(row[0] for row in rows),
        )

    def groups(self, info: TableInfo, query: TableQuery, grouping: GroupQuery) -> Groups:
        """Return the rows that fit the query's filters, grouped; see `groups`.

        Raises: as `run`.
        """
        compiled, grouped = compile_query(info, query), compile_groups(info, grouping)
        with self._tables.use(info) as table, engine_errors():
            cursor = self._tables.thread_cursor()
            sql = (
                f"SELECT {grouped.select} FROM {table}{compiled.filter_where}"
                f" GROUP BY label ORDER BY {grouped.order} LIMIT {MAX_GROUPS}"
            )
            with self._watchdog.limit(cursor, self._query_seconds):
                rows = cursor.execute(sql, compiled.filter_parameters).fetchall()
        return groups_of(rows, grouped.unit)

    def profile(self, info: TableInfo) -> list[ColumnProfile]:
        """Return the profile of each column, computed now; the one of the parse is cheaper."""
        with self._tables.use(info) as table, engine_errors():
            cursor = self._tables.thread_cursor()
            with self._watchdog.limit(cursor, PROFILE_SECONDS):
                return profile_columns(cursor, table, info.columns)

    @contextlib.contextmanager
    def statement(
        self,
        info: TableInfo,
        select: str,
        compiled: CompiledQuery,
        *,
        limits: StepLimits = StepLimits(30.0),
    ) -> Iterator[Stream]:
        """Prepare `SELECT <select>` for a compiled query on a cursor of its own, for exports.

        `select` is SQL made from known columns.
        """
        with self._tables.use(info) as table:
            cursor = self._tables.new_cursor()
            sql = f"SELECT {select} FROM {table}{compiled.where}{compiled.order}{compiled.page}"
            try:
                yield Stream(cursor, sql, compiled.parameters, self._watchdog, limits)
            finally:
                cursor.close()

    def warm(self, info: TableInfo) -> None:
        """Build the native file now, say after a publication, instead of at the first query."""
        with self._tables.use(info):
            pass

    def close(self) -> None:
        """Close this process's instance; the files stay."""
        self._tables.close()

    def _rows(
        self, cursor: duckdb.DuckDBPyConnection, table: str, compiled: CompiledQuery
    ) -> list[tuple[Any, ...]]:
        selected = ", ".join(["_id", *(f'"{column.field_name}"' for column in compiled.columns)])
        sql = f"SELECT {selected} FROM {table}{compiled.where}{compiled.order}{compiled.page}"
        rows = cursor.execute(sql, compiled.parameters).fetchall()
        trimmed = [
            index
            for index, column in enumerate(compiled.columns, start=1)
            if column.type is ColumnType.NUMBER and column.decimal_places is None
        ]
        return [_without_zeros(row, trimmed) for row in rows] if trimmed else rows

    def _total(
        self,
        cursor: duckdb.DuckDBPyConnection,
        table: str,
        info: TableInfo,
        compiled: CompiledQuery,
        found: int,
    ) -> int:
        if not compiled.filter_where:
            return info.row_count
        is_first = compiled.where == compiled.filter_where and not compiled.offset
        if is_first and compiled.limit is not None and found < compiled.limit:
            return found  # all of them are on this page
        asked = (info.parquet_sha256, compiled.filter_where, compiled.filter_parameters)
        known = self._totals.get(asked)
        if known is not None:
            return known
        row = cursor.execute(
            f"SELECT count(*) FROM {table}{compiled.filter_where}", compiled.filter_parameters
        ).fetchone()
        total = int(row[0]) if row else 0
        if len(repr(compiled.filter_parameters)) <= MAX_QUESTION:
            if len(self._totals) >= MAX_TOTALS:
                self._totals = {}
            self._totals[asked] = total
        return total


def _is_head(compiled: CompiledQuery) -> bool:
    """Whether the query asks for the first rows as they are: they can be had without the engine."""
    return (
        not compiled.where
        and compiled.order in ("", " ORDER BY _id")
        and (compiled.limit is not None and compiled.offset + compiled.limit <= MAX_HEAD_ROWS)
    )


def first_rows(path: Path, info: TableInfo, compiled: CompiledQuery) -> TablePage:
    """Read the first rows from the Parquet itself, while the native file is still to be made."""
    names = [column.field_name for column in compiled.columns]
    wanted = compiled.offset + (compiled.limit or 0)
    rows: list[dict[str, Any]] = []
    batches = ParquetFile(path).iter_batches(batch_size=max(wanted, 1), columns=["_id", *names])
    for batch in batches:
        rows += batch.to_pylist()
        if len(rows) >= wanted:
            break
    page = rows[compiled.offset : wanted]
    trimmed = [
        index
        for index, column in enumerate(compiled.columns)
        if column.type is ColumnType.NUMBER and column.decimal_places is None
    ]
    values = [_without_zeros(tuple(row[name] for name in names), trimmed) for row in page]
    ids = tuple(row["_id"] for row in page)
    return TablePage(
        rows=[dict(zip(names, row, strict=True)) for row in values],
        total=info.row_count,
        columns=compiled.columns,
        last_id=ids[-1] if ids else None,
        ids=ids,
    )


def _close(reference: weakref.ref[TableCache]) -> None:
    """Close before the interpreter goes: DuckDB complains on standard error otherwise."""
    cache = reference()
    if cache is not None:
        cache.close()


def _without_zeros(row: tuple[Any, ...], indexes: Sequence[int]) -> tuple[Any, ...]:
    """Drop the zeros that a shared scale adds: 3.1 in a column with 2.055 is 3.1."""
    values = list(row)
    for index in indexes:
        value = values[index]
        if value is not None:
            whole = value.to_integral_value()
            values[index] = Decimal(int(value)) if value == whole else value.normalize()
    return tuple(values)
