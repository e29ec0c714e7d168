"""Small groups (k-anonymity): how many rows share the values of the chosen columns with few others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from sqlalchemy.orm import Session

from extensions.quality.models.scan import TableScan
from extensions.quality.scan.findings import ColumnFindings, masked_example
from portal.clock import Clock
from portal.errors import Invalid
from portal.jobs.queue import enqueue
from portal.tables.info import TableInfo

if TYPE_CHECKING:
    from portal.platform import Platform

K = 5
MOST_COLUMNS = 6
SHOWN = 20
GROUPS_JOB = "quality_groups"
MEMORY_LIMIT = "768MB"


def ask_for_groups(session: Session, clock: Clock, scan: TableScan, columns: Sequence[str]) -> None:
    """Have the groups counted by a job.

    Raises:
        Invalid: no column, too many, or unknown ones.
    """
    known = {column.field_name for column in table_of(scan).columns}
    if not 1 <= len(columns) <= MOST_COLUMNS or not set(columns) <= known:
        raise Invalid.one("columns", "columns", "请选择1至{n}列。", n=MOST_COLUMNS)
    scan.groups = {"waiting": True, "columns": list(columns)}
    payload = {"scan_id": scan.id, "columns": list(columns)}
    enqueue(session, clock, GROUPS_JOB, payload)


def table_of(scan: TableScan) -> TableInfo:
    """Return the table as it will leave: the public one if there is one."""
    data = scan.data_version
    return TableInfo.from_dict(data.public_table or data.table or {})


def count_groups(platform: Platform, payload: dict[str, Any]) -> None:
    with platform.database.reading() as session:
        scan = session.get(TableScan, payload["scan_id"])
        if scan is None or scan.data_version.table is None:
            return
        info, found = table_of(scan), ColumnFindings.gather(scan.findings)
    columns = [name for name in payload["columns"] if name in {c.field_name for c in info.columns}]
    if not columns:
        return
    path = Path(platform.storage.local_path(info.parquet_sha256))
    kinds = {one.field_name: one.kinds[0] for one in found if one.blocks}
    report = small_groups(info, path, columns, kinds)
    report["made_at"] = platform.clock().isoformat(timespec="seconds")
    with platform.database.writing() as session:
        scan = session.get(TableScan, payload["scan_id"])
        if scan is not None:
            scan.groups = report


def small_groups(
    info: TableInfo, path: Path, columns: Sequence[str], kinds: dict[str, str]
) -> dict[str, Any]:
    """Return the report: how many groups there are, how many below K, and the smallest.

    Args:
        kinds: field name -> kind of columns whose values are shown masked.
    """
    names = ", ".join(f'"{info.column(name).field_name}"' for name in columns)
    connection = duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "threads": 2})
    try:
        connection.read_parquet(str(path)).create_view("data")
        connection.execute(
            f"CREATE TEMP TABLE found AS SELECT {names}, count(*) AS n FROM data GROUP BY ALL"
        )
        counted = connection.execute(
            f"SELECT count(*), min(n), count(*) FILTER (WHERE n < {K}),"
            f" coalesce(sum(n) FILTER (WHERE n < {K}), 0) FROM found"
        ).fetchone() or (0, 0, 0, 0)
        rows = connection.execute(
            f"SELECT {names}, n FROM found WHERE n < {K} ORDER BY n, {names} LIMIT {SHOWN}"
        ).fetchall()
    finally:
        connection.close()
    return {
        "k": K,
        "columns": list(columns),
        "names": [info.column(name).name for name in columns],
        "rows": info.row_count,
        "groups": int(counted[0]),
        "smallest": int(counted[1] or 0),
        "small_groups": int(counted[2]),
        "small_rows": int(counted[3]),
        "examples": [
            {
                "values": [_shown(v, kinds.get(n, "")) for n, v in zip(columns, row, strict=False)],
                "count": int(row[-1]),
            }
            for row in rows
        ],
    }


def _shown(value: Any, kind: str) -> str:
    text = "" if value is None else str(value)
    return masked_example(kind, text) if kind and text else text[:60]
