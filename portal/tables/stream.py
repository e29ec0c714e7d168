"""A statement whose rows are taken in steps, each bounded in time, and all of them together."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import duckdb
import pyarrow as pa

from portal.errors import Unavailable
from portal.tables.watchdog import Watchdog

TOO_LONG = "查询用时过长，已停止。请增加筛选条件或减少排序后重试。"
TOO_MUCH = "查询占用的内存过多，已停止。请增加筛选条件或减少列后重试。"


@dataclass(frozen=True)
class StepLimits:
    """Seconds of the engine's own work; the time that the receiver takes counts for none.

    `first`: until the first rows are there, None as for any step; `whole`: all steps together.
    """

    step: float
    first: float | None = None
    whole: float = inf


class Stream:
    """A statement whose rows are taken in steps; each step has the time limit. Run it once."""

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        sql: str,
        parameters: Sequence[Any],
        watchdog: Watchdog,
        limits: StepLimits,
    ) -> None:
        self._cursor, self._sql, self._parameters = cursor, sql, list(parameters)
        self._watchdog, self._limits = watchdog, limits
        self._used, self._has_begun = 0.0, False

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
            self._has_begun = True
            yield batch

    @contextlib.contextmanager
    def _step(self) -> Iterator[None]:
        limits = self._limits
        most = min(limits.step, limits.whole - self._used)
        if limits.first is not None and not self._has_begun:
            most = min(most, limits.first - self._used)
        started = time.monotonic()
        try:
            with engine_errors(), self._watchdog.limit(self._cursor, most):
                yield
        finally:
            self._used += time.monotonic() - started
        if self._used > limits.whole:  # steps too short for the watchdog add up as well
            raise Unavailable(TOO_LONG)


@contextlib.contextmanager
def engine_errors() -> Iterator[None]:
    """Turn DuckDB's time and memory errors into Unavailable."""
    try:
        yield
    except duckdb.InterruptException:
        raise Unavailable(TOO_LONG) from None
    except duckdb.OutOfMemoryException:
        raise Unavailable(TOO_MUCH) from None
    except OSError as error:  # DuckDB's errors as Arrow's reader tells them
        known = {"INTERRUPT Error": TOO_LONG, "Out of Memory Error": TOO_MUCH}
        message = next((text for start, text in known.items() if start in str(error)), "")
        if not message:
            raise
        raise Unavailable(message) from None
