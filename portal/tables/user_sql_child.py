"""The process that runs one statement of a caller's and ends: `python -m portal.tables.user_sql_child`.

It is told all it may know on standard input: tables as paths with the columns that may be read, and SQL
that `user_sql` made. DuckDB here opens no file at all: it reads through Arrow data sets that know only
those columns, so that a closed column is not there to be asked for. Memory, files and CPU time are
limited by the system; whoever started the process kills it when its time is over.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

import duckdb
import orjson
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from portal.tables.json_values import dumps, json_value

ENGINE_MEMORY = "192MB"
MORE_MEMORY_BYTES = 400 * 1024 * 1024
"""What the process may take beyond what it holds before the statement begins."""

READY = b"."
"""Said once, before the statement begins: from here on its time runs."""

_TYPES = {
    "BOOLEAN": "bool", "TINYINT": "int2", "SMALLINT": "int2", "INTEGER": "int4", "BIGINT": "int8",
    "HUGEINT": "numeric", "FLOAT": "float4", "DOUBLE": "float8", "DATE": "date", "TIME": "time",
    "TIMESTAMP": "timestamp", "INTERVAL": "interval",
}  # fmt: skip


def main() -> None:
    asked = orjson.loads(sys.stdin.buffer.read())
    try:
        answer = _run(asked)
    except (duckdb.OutOfMemoryException, MemoryError):
        answer = {"error": "memory"}
    except duckdb.Error as error:
        kind = "memory" if "llocation failure" in str(error) else "sql"
        answer = {"error": kind, "message": str(error).strip().split("\n", 1)[0][:300]}
    records = answer.pop("records", [])
    sys.stdout.buffer.write(dumps(answer) + b"\n" + dumps(records))


def _run(asked: dict[str, Any]) -> dict[str, Any]:
    """Return fields, records, and whether there are more of them than are asked for."""
    connection = _open(asked["tables"])
    _limit(int(asked["cpu_seconds"]))
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    connection.execute(asked["sql"])
    names = [str(column[0]) for column in connection.description or ()]
    kinds = [str(column[1]) for column in connection.description or ()]
    fields = [
        {"id": name, "type": _TYPES.get(kind) or ("numeric" if "DECIMAL" in kind else "text")}
        for name, kind in zip(names, kinds, strict=True)
    ]
    records: list[dict[str, Any]] = []
    size, truncated = 0, False
    for row in _rows(connection):
        values = [_value(value) for value in row]
        size += sum(len(v) if isinstance(v, str) else 8 for v in values)
        truncated = len(records) == asked["max_rows"] or size > asked["max_bytes"]
        if truncated:
            break
        records.append(dict(zip(names, values, strict=True)))
    return {"fields": fields, "records": records, "truncated": truncated}


def _open(tables: list[dict[str, Any]]) -> duckdb.DuckDBPyConnection:
    """Return an engine that knows the tables and nothing else, and can learn nothing more."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": ENGINE_MEMORY,
            "threads": 1,
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    connection.execute("SET enable_external_access = false")
    connection.execute("SET python_enable_replacements = false")
    for number, table in enumerate(tables):
        _add(connection, f"base_{number}", table)
    connection.execute("SET lock_configuration = true")
    return connection


def _add(connection: duckdb.DuckDBPyConnection, base: str, table: dict[str, Any]) -> None:
    """Add a view with the columns under their outward names; `_id` numbers the rows."""
    columns: dict[str, str] = {"_id": "_id", **table["columns"]}
    whole = pq.read_schema(table["path"])
    schema = pa.schema([whole.field(name) for name in columns])
    connection.register(base, ds.dataset(table["path"], schema=schema, format="parquet"))
    selected = ", ".join(f"{_quoted(k)} AS {_quoted(v)}" for k, v in columns.items())
    connection.execute(f"CREATE VIEW {_quoted(table['name'])} AS SELECT {selected} FROM {base}")


def _limit(cpu_seconds: int) -> None:
    with open("/proc/self/statm") as file:
        held = int(file.read().split()[0]) * resource.getpagesize()
    most = held + MORE_MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(used.ru_utime + used.ru_stime) + cpu_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _rows(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while batch := connection.fetchmany(1000):
        yield from batch


def _value(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | Decimal | date | datetime):
        return json_value(value)
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, timedelta | time):
        return str(value)
    return str(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


if __name__ == "__main__":
    main()
