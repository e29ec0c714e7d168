"""Make the public table that a decision asks for, look at it again, and let it go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extensions.quality.models.scan import TableScan
from extensions.quality.scan.findings import ColumnFindings
from extensions.quality.scan.leftovers import REST
from extensions.quality.scan.look import look_at_table
from extensions.quality.scan.masks import DROP, RELEASE, treated_sql
from portal.models.distribution import REVIEW
from portal.services.index_requests import request_index
from portal.services.table_parsing import first_values
from portal.storage.base import Storage
from portal.tables.derive import derive_table
from portal.tables.info import TableInfo

if TYPE_CHECKING:
    from portal.platform import Platform

SEEN_AGAIN = frozenset(
    {"id_number", "old_id_number", "bank_card", "mobile", "landline", "email", "plate", "uscc",
     "passport"}
)  # fmt: skip
"""Kinds that must not be found by value in a column that was masked or generalised."""


@dataclass(frozen=True)
class Task:
    info: TableInfo
    treatments: dict[str, str]
    found: dict[str, ColumnFindings]
    row_version: int


def apply_decisions(platform: Platform, payload: dict[str, Any]) -> None:
    """Apply the decisions of one scan; a run that was overtaken by a newer decision writes nothing."""
    with platform.database.reading() as session:
        scan = session.get(TableScan, payload["scan_id"])
        if scan is None or scan.decided_at is None or scan.data_version.table is None:
            return
        task = _task(scan)
    made, treatments = _make(platform.storage, task)
    samples = None
    if made is not None or not treatments:
        kept = made or task.info
        samples = first_values(Path(platform.storage.local_path(kept.parquet_sha256)))
    with platform.database.writing() as session:
        scan = session.get(TableScan, payload["scan_id"])
        if scan is None or scan.row_version != task.row_version:
            return
        data = scan.data_version
        if samples is None:  # nothing could be left: a person decides again
            data.hold, scan.decided_at = REVIEW, None
        else:
            data.public_table = made.as_dict() if made is not None else None
            data.samples, data.hold = samples, ""
            scan.applied, scan.applied_at = treatments, platform.clock()
        request_index(session, platform.clock, data.distribution.entry)


def _task(scan: TableScan) -> Task:
    treatments = {
        name: one["treatment"]
        for name, one in scan.decisions.items()
        if one["treatment"] != RELEASE
    }
    found = {one.field_name: one for one in ColumnFindings.gather(scan.findings)}
    return Task(
        TableInfo.from_dict(scan.data_version.table or {}), treatments, found, scan.row_version
    )


def _make(storage: Storage, task: Task) -> tuple[TableInfo | None, dict[str, str]]:
    """Return the public table with the treatments it carries.

    It is looked at again: a column in which something is still found is dropped.
    """
    treatments = dict(task.treatments)
    while treatments:
        dropped = [n for n, one in treatments.items() if one == DROP and n != REST]
        if len(dropped) == len(task.info.columns):
            return None, treatments
        made = derive_table(task.info, storage, _rewritten(task, treatments))
        looked = look_at_table(made, Path(storage.local_path(made.parquet_sha256)))
        left = {
            finding.field_name
            for finding in looked.findings
            if finding.field_name in treatments
            and finding.by == "values"
            and finding.kind in SEEN_AGAIN
        }
        if not left:
            return made, treatments
        treatments |= dict.fromkeys(left, DROP)
    return None, treatments


def _rewritten(task: Task, treatments: dict[str, str]) -> dict[str, str | None]:
    return {
        name: treated_sql(task.info.column(name), task.found.get(name), treatment)
        for name, treatment in treatments.items()
        if name != REST  # the rest stays in with the original: the public table has none of it
    }
