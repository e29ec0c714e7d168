"""Queries on tables: native DuckDB files derived from the Parquet, in a bounded local folder.

One locked in-memory root instance a process; the files are attached to it read-only, so that all
tables together keep to one memory limit. A cursor a thread. Only SQL made here runs on it; users'
own SQL belongs in a child process.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from portal.errors import Unavailable
from portal.storage.base import Storage
from portal.storage.file_cache import FileCache
from portal.tables.column_types import ColumnType
from portal.tables.info import Column, TableInfo
from portal.tables.query import CompiledQuery, TableQuery, compile_query
from portal.tables.watchdog import Watchdog

LAYOUT = 1  # part of the file name: a new layout never meets an old file
MAX_ATTACHED = 64
BUILD_MEMORY_LIMIT = "1GB"
MAX_SPILL = "4GB"  # on disk, for sorts that exceed the memory limit


@dataclass(frozen=True)
class TablePage:
    """One page of rows, keyed by field name: str, int, Decimal, date, datetime or None."""

    rows: list[dict[str, Any]]
    total: int | None  # rows that fit the filters; None when not asked for
    columns: tuple[Column, ...]
    last_id: int | None  # `after_id` of the next page; None on an empty page


@dataclass
class _Attached:
    file_name: str
    users: int = 0


class TableCache:
    """Native files of tables and the queries on them; share one object a process.

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
        self._storage = storage
        self._files = FileCache(Path(folder).absolute(), max_bytes)
        self._memory_limit, self._threads = memory_limit, threads
        self._query_seconds = query_seconds
        self._lock = threading.RLock()
        self._root: duckdb.DuckDBPyConnection | None = None
        self._root_pid = 0
        self._attached: OrderedDict[str, _Attached] = OrderedDict()
        self._local = threading.local()
        self._watchdog = Watchdog()
        atexit.register(_close, weakref.ref(self))

    def run(self, info: TableInfo, query: TableQuery, *, with_total: bool = True) -> TablePage:
        """Return one page.

        Raises:
            Invalid: the query does not fit the table.
            Unavailable: it took too long or too much memory.
            ObjectMissing, StorageUnavailable: the Parquet cannot be had.
        """
        compiled = compile_query(info, query)
        with self._use(info) as table, _translated():
            cursor = self._cursor()
            with self._watchdog.limit(cursor, self._query_seconds):
                rows = self._rows(cursor, table, compiled)
                total = self._total(cursor, table, info, compiled) if with_total else None
        names = [column.field_name for column in compiled.columns]
        return TablePage(
            rows=[dict(zip(names, row[1:], strict=True)) for row in rows],
            total=total,
            columns=compiled.columns,
            last_id=rows[-1][0] if rows else None,
        )

    @contextlib.contextmanager
    def statement(
        self, info: TableInfo, select: str, compiled: CompiledQuery, *, step_seconds: float = 30.0
    ) -> Iterator[Stream]:
        """Run `SELECT <select>` for a compiled query on a cursor of its own, for exports.

        `select` is SQL made from known columns. Only DuckDB's own work counts for the limit of
        each step, not the time that the receiver takes.
        """
        with self._use(info) as table:
            cursor = self._instance().cursor()
            stream = Stream(cursor, self._watchdog, step_seconds)
            try:
                sql = f"SELECT {select} FROM {table}{compiled.where}{compiled.order}{compiled.page}"
                stream.execute(sql, compiled.parameters)
                yield stream
            finally:
                cursor.close()

    def warm(self, info: TableInfo) -> None:
        """Build the native file now, say after a publication, instead of at the first query."""
        with self._use(info):
            pass

    def close(self) -> None:
        """Close this process's instance; the files stay."""
        with self._lock:
            if self._root is not None and self._root_pid == os.getpid():
                self._root.close()
            self._root = None
            self._attached.clear()
            self._local = threading.local()

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
    ) -> int:
        if not compiled.where:
            return info.row_count
        row = cursor.execute(
            f"SELECT count(*) FROM {table}{compiled.where}", compiled.parameters
        ).fetchone()
        return int(row[0]) if row else 0

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        root = self._instance()
        if getattr(self._local, "root", None) is not root:
            self._local.root, self._local.cursor = root, root.cursor()
        cursor: duckdb.DuckDBPyConnection = self._local.cursor
        return cursor

    def _instance(self) -> duckdb.DuckDBPyConnection:
        """Return this process's root, made at first use: never carried over a fork."""
        with self._lock:
            if self._root is None or self._root_pid != os.getpid():
                self._attached.clear()
                self._root, self._root_pid = self._open_root(), os.getpid()
            return self._root

    def _open_root(self) -> duckdb.DuckDBPyConnection:
        spill = self._files.folder / ".spill" / str(os.getpid())
        _remove_of_dead_processes(spill.parent)
        spill.mkdir(parents=True, exist_ok=True)
        root = duckdb.connect(
            ":memory:", config={"memory_limit": self._memory_limit, "threads": self._threads}
        )
        root.execute(f"SET temp_directory = {_literal(str(spill))}")
        root.execute(f"SET max_temp_directory_size = '{MAX_SPILL}'")
        root.execute(f"SET allowed_directories = [{_literal(str(self._files.folder) + '/')}]")
        root.execute("SET enable_external_access = false")
        root.execute("SET lock_configuration = true")
        return root

    @contextlib.contextmanager
    def _use(self, info: TableInfo) -> Iterator[str]:
        """Hold a table attached while the block runs; yield its SQL name."""
        name = f"t_{info.parquet_sha256}"
        file_name = f"{info.parquet_sha256}.{LAYOUT}.duckdb"
        self._files.get(file_name, lambda made: self._build(info, made))
        try:
            attached = self._attach(name, file_name)
        except duckdb.Error:  # a file that a power cut left broken: it can be made again
            self._files.remove(file_name)
            self._files.get(file_name, lambda made: self._build(info, made))
            attached = self._attach(name, file_name)
        try:
            yield f"{name}.main.rows"
        finally:
            with self._lock:
                attached.users -= 1

    def _attach(self, name: str, file_name: str) -> _Attached:
        """Attach a native file unless it is attached already, and count one user more."""
        with self._lock:
            root = self._instance()
            attached = self._attached.get(name)
            if attached is None:
                self._detach_unused()
                path = _literal(str(self._files.folder / file_name))
                root.execute(f"ATTACH {path} AS {name} (READ_ONLY)")
                attached = self._attached[name] = _Attached(file_name)
            self._attached.move_to_end(name)
            attached.users += 1
            return attached

    def _detach_unused(self) -> None:
        """Detach tables whose file was evicted (its space is free only then), and the oldest."""
        root = self._instance()
        too_many = len(self._attached) - MAX_ATTACHED + 1
        for name, attached in list(self._attached.items()):
            gone = not (self._files.folder / attached.file_name).exists()
            if not attached.users and (gone or too_many > 0):
                root.execute(f"DETACH {name}")
                del self._attached[name]
                too_many -= 1

    def _build(self, info: TableInfo, path: Path) -> None:
        source = self._storage.local_path(info.parquet_sha256)
        connection = duckdb.connect(
            str(path),
            config={
                "memory_limit": BUILD_MEMORY_LIMIT,
                "threads": self._threads,
                "temp_directory": str(path.parent / "spill"),
            },
        )
        try:
            connection.read_parquet(source).create("rows")
            for field_name in info.key_fields:
                connection.execute(f'CREATE INDEX "key_{field_name}" ON rows ("{field_name}")')
            connection.execute("CHECKPOINT")
        finally:
            connection.close()


class Stream:
    """A statement whose rows are taken in steps; each step has the time limit. Run it once."""

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        sql: str,
        parameters: Sequence[Any],
        watchdog: Watchdog,
        seconds: float,
    ) -> None:
        self._cursor, self._sql, self._parameters = cursor, sql, list(parameters)
        self._watchdog, self._seconds = watchdog, seconds

    def texts(self, rows: int = 2000) -> Iterator[list[str]]:
        """Yield the values of a statement's only column, in lists of at most `rows`."""
        with self._step():
            self._cursor.execute(self._sql, self._parameters)
        while True:
            with self._step():
                batch = self._cursor.fetchmany(rows)
            if not batch:
                return
            yield [row[0] for row in batch]

    def record_batches(self, rows: int) -> Iterator[pa.Schema | pa.RecordBatch]:
        """Yield the schema, then the rows as Arrow record batches."""
        with self._step():
            reader = self._cursor.sql(self._sql, params=self._parameters).to_arrow_reader(rows)
        yield reader.schema
        while True:
            with self._step():
                batch = next(reader, None)
            if batch is None:
                return
            yield batch

    @contextlib.contextmanager
    def _step(self) -> Iterator[None]:
        with _translated(), self._watchdog.limit(self._cursor, self._seconds):
            yield


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except duckdb.InterruptException:
        raise Unavailable("查询用时过长，已停止。请增加筛选条件或减少排序后重试。") from None
    except duckdb.OutOfMemoryException:
        raise Unavailable("查询占用的内存过多，已停止。请增加筛选条件或减少列后重试。") from None


def _close(reference: weakref.ref[TableCache]) -> None:
    """Close before the interpreter goes: DuckDB complains on standard error otherwise."""
    cache = reference()
    if cache is not None:
        cache.close()


def _remove_of_dead_processes(folder: Path) -> None:
    """Remove the spill folders that killed processes left."""
    for path in folder.glob("[0-9]*"):
        try:
            os.kill(int(path.name), 0)
        except ProcessLookupError:
            shutil.rmtree(path, ignore_errors=True)
        except PermissionError:
            continue  # alive, another user's


def _without_zeros(row: tuple[Any, ...], indexes: Sequence[int]) -> tuple[Any, ...]:
    """Drop the zeros that a shared scale adds: 3.1 in a column with 2.055 is 3.1."""
    values = list(row)
    for index in indexes:
        value = values[index]
        if value is not None:
            whole = value.to_integral_value()
            values[index] = Decimal(int(value)) if value == whole else value.normalize()
    return tuple(values)


def _literal(text: str) -> str:
    """Quote a path of our own for a statement that takes no parameter."""
    return "'" + text.replace("'", "''") + "'"
