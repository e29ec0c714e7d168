"""Runs a checked statement in a child process, with a clock over it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from portal.errors import Invalid, Unavailable
from portal.tables.json_values import dumps
from portal.tables.user_sql import CheckedSql

SECONDS = 5.0
"""Of the statement, on the clock, from when the child is ready."""

START_SECONDS = 60.0
"""Of the child until then: a busy machine starts it slowly, and nobody's statement is to blame."""

MAX_ROWS = 32_000
MAX_BYTES = 16 * 1024 * 1024
AT_ONCE = 2
WAIT_SECONDS = 5.0
_slots = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class ReadableTable:
    """A table as the caller may read it: `columns` are names in the file -> names in the SQL."""

    path: Path
    columns: Mapping[str, str]


@dataclass(frozen=True)
class SqlRows:
    """`fields` are {id, type} in PostgreSQL's words; `truncated`: there are more rows than these."""

    fields: list[dict[str, str]]
    records: bytes  # a JSON list of objects, decimals with all their digits
    truncated: bool


def run_sql(
    checked: CheckedSql, tables: Mapping[str, ReadableTable], *, seconds: float = SECONDS
) -> SqlRows:
    """Return the rows of a statement.

    Args:
        tables: each table of the statement by the name that it has there.

    Raises:
        Invalid: the engine does not understand it (a column that there is not).
        Unavailable: it took too long or too much memory, or too many run just now.
    """
    names = {name: f"table {number}" for number, name in enumerate(tables)}
    asked = {
        "sql": checked.sql(names),
        "tables": [
            {"name": names[name], "path": str(table.path), "columns": dict(table.columns)}
            for name, table in tables.items()
        ],
        "max_rows": MAX_ROWS,
        "max_bytes": MAX_BYTES,
        "cpu_seconds": int(seconds) + 2,  # in case nobody is left to kill it
    }
    with _slot():
        answer, records = _ask_child(dumps(asked), seconds)
    if answer.get("error") == "memory":
        raise Unavailable("查询占用的内存过多，已停止。请增加筛选条件或减少列后重试。")
    if "error" in answer:
        message = str(answer.get("message", ""))
        raise Invalid.one("sql", "sql", "SQL 无法执行：{reason}", reason=message)
    return SqlRows(answer["fields"], records, bool(answer["truncated"]))


@contextmanager
def _slot() -> Iterator[None]:
    if not _slots.acquire(timeout=WAIT_SECONDS):
        raise Unavailable("同时执行的 SQL 查询过多，请稍后重试。")
    try:
        yield
    finally:
        _slots.release()


def _ask_child(asked: bytes, seconds: float) -> tuple[dict[str, Any], bytes]:
    """Start the child with nothing of this process's environment, and kill it when time is over."""
    child = subprocess.Popen(
        _command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "LANG": "C.UTF-8"},
    )
    with child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            with _killed_after(child, START_SECONDS):
                child.stdin.write(asked)
                child.stdin.close()
                child.stdout.read(1)  # it is ready
            with _killed_after(child, seconds) as is_killed:
                found = child.stdout.read()
                child.wait()
        except BrokenPipeError:
            return {"error": "memory"}, b""
        finally:
            child.kill()
    if is_killed.is_set() or child.returncode == -signal.SIGXCPU:
        raise Unavailable("查询用时过长，已停止。请增加筛选条件或减少排序后重试。")
    if child.returncode != 0 or not found:  # ended by a limit of the system
        return {"error": "memory"}, b""
    head, _, records = found.partition(b"\n")
    answer: dict[str, Any] = orjson.loads(head)
    return answer, records


@contextmanager
def _killed_after(child: subprocess.Popen[bytes], seconds: float) -> Iterator[threading.Event]:
    """Kill the child if the block is not left in time; the event tells whether it was."""
    killed = threading.Event()

    def kill() -> None:
        killed.set()
        child.kill()

    timer = threading.Timer(seconds, kill)
    timer.daemon = True
    timer.start()
    try:
        yield killed
    finally:
        timer.cancel()


def _command() -> Sequence[str]:
    return (sys.executable, "-s", "-m", "portal.tables.user_sql_child")
