"""A statement whose rows are taken in steps, each bounded in time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from portal.errors import Unavailable
from portal.tables.watchdog import Watchdog


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
        with engine_errors(), self._watchdog.limit(self._cursor, self._seconds):
            yield


@contextlib.contextmanager
def engine_errors() -> Iterator[None]:
    """Turn DuckDB's time and memory errors into Unavailable."""
    try:
        yield
    except duckdb.InterruptException:
        raise Unavailable("查询用时过长，已停止。请增加筛选条件或减少排序后重试。") from None
    except duckdb.OutOfMemoryException:
        raise Unavailable("查询占用的内存过多，已停止。请增加筛选条件或减少列后重试。") from None
