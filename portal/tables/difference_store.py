"""Differences between tables, computed once and kept for a while as Parquet in a local folder.

A comparison of two million rows takes seconds: one runs at a time in a process, with a memory limit
and a time limit, and its result serves everybody who asks for the same pair.
"""

from __future__ import annotations

import csv
import hashlib
import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from portal.errors import TooManyRequests, Unavailable
from portal.storage.base import Storage
from portal.storage.file_cache import FileCache
from portal.tables import export_sql
from portal.tables.column_types import ColumnType
from portal.tables.difference import KINDS, Comparison, differences_sql
from portal.tables.export import BROKEN_OFF, cut_into_pieces, safe_header, whole_or_marked
from portal.tables.export_text import BATCH_ROWS, joined
from portal.tables.info import Column, TableInfo
from portal.tables.stream import StepLimits, Stream, engine_errors
from portal.tables.watchdog import Watchdog

MAX_ROWS = 6_000_000  # of both tables together
MEMORY_LIMIT = "512MB"
SECONDS = 30.0
WAIT_SECONDS = 5.0
LAYOUT = 1  # part of the file name
KIND_NAMES = {"added": "新增", "removed": "删除", "changed": "修改"}


@dataclass(frozen=True)
class RowChange:
    """One row that differs. Row numbers count the rows of the file; values by field name."""

    kind: str
    before_row: int | None
    after_row: int | None
    before: dict[str, str | None]
    after: dict[str, str | None]


@dataclass(frozen=True)
class RowDifference:
    """How many rows differ, by kind, and where they are kept."""

    comparison: Comparison
    counts: dict[str, int]
    path: Path


class DifferenceStore:
    """Thread-safe; several processes may share the folder."""

    def __init__(self, folder: Path, storage: Storage, *, max_bytes: int = 1024**3) -> None:
        self._storage = storage
        self._files = FileCache(Path(folder).absolute(), max_bytes)
        self._one = threading.BoundedSemaphore(1)
        self._watchdog = Watchdog()

    def find(self, comparison: Comparison) -> RowDifference:
        """Return the difference, computed now if nobody asked for it lately.

        Raises:
            Unavailable: the tables are too large to compare here, or it took too long.
            TooManyRequests: another comparison is running.
            ObjectMissing, StorageUnavailable: a table cannot be had.
        """
        if comparison.before.row_count + comparison.after.row_count > MAX_ROWS:
            raise Unavailable(
                "两个版本合计超过 {most} 行，不在网页上逐行比较；请下载两个版本后自行比较。",
                most=MAX_ROWS,
            )
        path = self._files.find(_name(comparison)) or self._computed(comparison)
        with _connection(path.parent) as connection, engine_errors():
            counts = connection.execute(
                "SELECT kind, count(*) FROM read_parquet(?) GROUP BY kind", [str(path)]
            ).fetchall()
        found = dict(counts)
        return RowDifference(comparison, {kind: found.get(kind, 0) for kind in KINDS}, path)

    def rows(self, difference: RowDifference, kind: str, limit: int) -> list[RowChange]:
        """Return the first rows of a kind, in the order of the file."""
        with _connection(difference.path.parent) as connection, engine_errors():
            found = connection.execute(
                "SELECT * FROM read_parquet(?) WHERE kind = ? LIMIT ?",
                [str(difference.path), kind, limit],
            ).fetchall()
        return [_row_change(difference.comparison.shown, row) for row in found]

    def csv(self, difference: RowDifference) -> Iterator[bytes]:
        """Yield every row that differs as CSV (UTF-8 with its mark), old beside new value."""
        pieces = cut_into_pieces(self._csv(difference))
        return whole_or_marked(next(pieces, b""), pieces, f'\r\n"{BROKEN_OFF}'.encode())

    def _csv(self, difference: RowDifference) -> Iterator[bytes]:
        names = difference.comparison.shown
        yield b"\xef\xbb\xbf" + _csv_head(difference.comparison).encode()
        cases = " ".join(f"WHEN '{kind}' THEN '{text}'" for kind, text in KIND_NAMES.items())
        texts = [f"{side}_{name}" for name in names for side in ("before", "after")]
        line = export_sql.csv_line([_text_column(name) for name in texts])
        select = (
            f"concat(CASE kind {cases} END, ',', coalesce(before_id::VARCHAR, ''), ',',"
            f" coalesce(after_id::VARCHAR, ''), ',', {line}, chr(13), chr(10))"
        )
        with _connection(difference.path.parent) as connection:
            sql = f"SELECT {select} FROM read_parquet(?)"
            stream = Stream(
                connection, sql, [str(difference.path)], self._watchdog, StepLimits(SECONDS)
            )
            for lines in stream.texts(BATCH_ROWS):
                yield joined(lines)

    def _computed(self, comparison: Comparison) -> Path:
        if not self._one.acquire(timeout=WAIT_SECONDS):
            raise TooManyRequests(
                "正在比较其他版本，请在 {retry_after_seconds} 秒后重试。", retry_after_seconds=5
            )
        try:
            return self._files.get(_name(comparison), lambda made: self._make(comparison, made))
        finally:
            self._one.release()

    def _make(self, comparison: Comparison, path: Path) -> None:
        pairs, values = differences_sql(comparison)
        with _connection(path.parent) as connection, engine_errors():
            for view, info in (("before", comparison.before), ("after", comparison.after)):
                source = self._storage.local_path(info.parquet_sha256)
                connection.read_parquet(source).create_view(view)
            with self._watchdog.limit(connection, SECONDS):
                connection.execute(f"CREATE TABLE pairs AS {pairs}")
                connection.execute(
                    f"COPY ({values}) TO '{_quoted(path)}' (FORMAT parquet, COMPRESSION zstd)"
                )


def _name(comparison: Comparison) -> str:
    """Name the result by everything it depends on: contents, columns that may be seen, key."""
    parts = [
        *(info.parquet_sha256 for info in (comparison.before, comparison.after)),
        *(_columns(info) for info in (comparison.before, comparison.after)),
        ",".join(comparison.key),
    ]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return f"{digest}.{LAYOUT}.parquet"


def _columns(info: TableInfo) -> str:
    return ",".join(f"{c.field_name}:{c.type}:{c.decimal_places}" for c in info.columns)


@contextmanager
def _connection(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(
        config={
            "memory_limit": MEMORY_LIMIT,
            "threads": 2,
            "temp_directory": str(folder / "spill"),
        }
    )
    try:
        yield connection
    finally:
        connection.close()


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _row_change(names: Sequence[str], row: Sequence[Any]) -> RowChange:
    kind, before_row, after_row, *values = row
    before = dict(zip(names, values[::2], strict=True))
    after = dict(zip(names, values[1::2], strict=True))
    return RowChange(kind, before_row, after_row, before, after)


def _text_column(field_name: str) -> Column:
    return Column(field_name, field_name, ColumnType.TEXT, "VARCHAR")


def _csv_head(comparison: Comparison) -> str:
    out = io.StringIO()
    names = [
        f"{comparison.name_of(name)}（{side}）"
        for name in comparison.shown
        for side in ("旧", "新")
    ]
    csv.writer(out).writerow(["变化", "旧行号", "新行号", *map(safe_header, names)])
    return out.getvalue()
