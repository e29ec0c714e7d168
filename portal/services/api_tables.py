"""Tables that are written through the API, row by row or in batches.

Each write makes a new delivery: the next form of the file is made beside the catalogue and outside any
writing transaction, then delivered as an upload is, with the same permission, hold and checks. So a
write counts whole or not at all, and earlier forms stay in the archive.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Conflict, Invalid
from portal.models.distribution import FILE, Distribution
from portal.services.distributions import DistributionService, Upload
from portal.services.table_reading import TableReading
from portal.storage.base import Storage, StoredObject
from portal.tables.api_fields import (
    COLUMN_TYPES,
    ApiField,
    ApiTable,
    guessed_fields,
    read_fields,
)
from portal.tables.api_rows import INSERT, ApiRows


@dataclass(frozen=True)
class TableState:
    """A table as a change found it: `version_id` None where it has no rows yet."""

    table: ApiTable | None
    version_id: int | None
    sha256: str

    @classmethod
    def of(cls, distribution: Distribution) -> TableState:
        kept, data = distribution.api_table, distribution.current_version
        table = ApiTable.from_dict(kept) if kept else None
        if table is None or data is None:
            return cls(table, data.id if data else None, "")
        return cls(table, data.id, data.sha256)


NO_TABLE = TableState(None, None, "")


@dataclass(frozen=True)
class PreparedTable:
    """The next form of a table; `stored` is None where it has no rows, `changed` counts rows."""

    found: TableState
    table: ApiTable
    stored: StoredObject | None
    rows: int
    changed: int


def check_writable(distribution: Distribution, *, force: bool) -> None:
    """Only `force` turns an uploaded file into a table of the API.

    Raises:
        Invalid.
    """
    is_upload = distribution.kind == FILE and distribution.current_version is not None
    if is_upload and not distribution.api_table and not force:
        raise Invalid.one(
            "resource_id",
            "read_only",
            "该数据文件是上传的文件，不能逐行写入。请上传新的文件，或加 force=true 改为由接口写入。",
        )


def prepare_create(
    storage: Storage,
    found: TableState,
    *,
    fields: Sequence[Any],
    primary_key: Sequence[str] | None,
    records: Sequence[Any],
    max_bytes: int,
) -> PreparedTable:
    """Make the first form of a table, or add columns and rows to one. Reads and writes files only."""
    columns = _columns(found, fields, records)
    if primary_key is None:
        primary_key = found.table.primary_key if found.table else ()
    unknown = [one for one in primary_key if one not in {c.id for c in columns}]
    if unknown:
        raise Invalid.one("primary_key", "unknown", "没有列“{name}”。", name=unknown[0][:80])
    table = ApiTable(columns, tuple(primary_key))
    with ApiRows(table) as rows:
        _load(storage, found, rows)
        rows.write(records, INSERT)
        return _prepared(storage, found, table, rows, len(records), max_bytes)


def _columns(
    found: TableState, fields: Sequence[Any], records: Sequence[Any]
) -> tuple[ApiField, ...]:
    """Return the columns: those that are there at their places, then new ones as they are described
    or as the first record has them.

    Raises:
        Invalid: a column would change its type, or there is none at all.
    """
    columns = {one.id: one for one in (found.table.fields if found.table else ())}
    for one in read_fields(fields):
        if one.id in columns and one.type != columns[one.id].type:
            raise Invalid.one(
                "fields", "type", "列“{name}”已有类型 {type}，不能更改。",
                name=one.id, type=columns[one.id].type,
            )  # fmt: skip
        columns[one.id] = one
    if records and isinstance(records[0], Mapping):
        for one in read_fields(guessed_fields(records[0], tuple(columns.values()))):
            columns[one.id] = one
    if not columns:
        raise Invalid.one("fields", "missing", "请写出列（fields），或至少一条记录（records）。")
    return tuple(columns.values())


def prepare_upsert(
    storage: Storage, found: TableState, *, records: Sequence[Any], method: str, max_bytes: int
) -> PreparedTable:
    table = _existing(found)
    with ApiRows(table) as rows:
        _load(storage, found, rows)
        rows.write(records, method)
        return _prepared(storage, found, table, rows, len(records), max_bytes)


def prepare_delete(
    storage: Storage, found: TableState, *, filters: Mapping[str, Any], max_bytes: int
) -> PreparedTable:
    table = _existing(found)
    with ApiRows(table) as rows:
        _load(storage, found, rows)
        count = rows.delete(filters)
        return _prepared(storage, found, table, rows, count, max_bytes)


def _existing(found: TableState) -> ApiTable:
    if found.table is None:
        raise Invalid.one(
            "resource_id", "no_table", "该数据文件没有由接口写入的表格，请先调用 datastore_create。"
        )
    return found.table


def _load(storage: Storage, found: TableState, rows: ApiRows) -> None:
    if found.sha256:
        rows.load(Path(storage.local_path(found.sha256)))


def _prepared(
    storage: Storage,
    found: TableState,
    table: ApiTable,
    rows: ApiRows,
    changed: int,
    max_bytes: int,
) -> PreparedTable:
    if not rows.count:
        return PreparedTable(found, table, None, 0, changed)
    with tempfile.TemporaryFile() as file:
        rows.save(file)
        file.seek(0)
        stored = storage.put(file, max_bytes=max_bytes)
    return PreparedTable(found, table, stored, rows.count, changed)


class ApiTableService:
    """Delivers what was prepared. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._distributions = DistributionService(session, clock)

    def deliver(self, actor: Actor, distribution: Distribution, prepared: PreparedTable) -> None:
        """Make the prepared form the newest data of a distribution.

        Raises:
            Conflict: another write came in between; nothing is lost, the caller asks again.
            Forbidden.
        """
        now = TableState.of(distribution)
        if (now.version_id, now.table) != (prepared.found.version_id, prepared.found.table):
            raise Conflict("表格刚被另一次写入更改，本次没有写入任何内容，请重试。")
        distribution.api_table = prepared.table.as_dict()
        distribution.reading = _reading(prepared.table).as_dict()
        if prepared.stored is None:
            self._distributions.withdraw_data(actor, distribution)
            return
        upload = Upload(prepared.stored, f"{_file_name(distribution.name)}.jsonl")
        self._distributions.deliver(actor, distribution, upload)
        self._session.flush()

    def drop(self, actor: Actor, distribution: Distribution) -> None:
        """Take the table off; the resource stays without data."""
        distribution.api_table = None
        distribution.reading = None
        self._distributions.withdraw_data(actor, distribution)


def _file_name(name: str) -> str:
    return name.removesuffix(".jsonl").strip()[:180] or "table"


def _reading(table: ApiTable) -> TableReading:
    """The types are the client's own: nothing is guessed."""
    types = {one.id: COLUMN_TYPES[one.type].value for one in table.fields}
    return replace(TableReading(), encoding="utf-8", types=types)
