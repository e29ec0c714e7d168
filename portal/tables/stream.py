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

    def texts(self, rows: int = 2000) -> Iterator[pa.Array]:
        """Yield the values of a statement's only column as Arrow texts, at most `rows` a time."""
        batches = self.record_batches(rows)
        next(batches)  # the schema
        for batch in batches:
            yield batch.column(0)

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
