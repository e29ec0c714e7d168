"""Parse the table inside a delivered file, outside any web request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyarrow.parquet import ParquetFile

from portal.clock import Clock
from portal.db import Database
from portal.errors import Invalid, PortalError
from portal.models.distribution import DataVersion
from portal.models.entry import CatalogueEntry
from portal.rules.entry_content import InformationItem
from portal.services.content import content_of
from portal.services.document_check import check_document
from portal.services.index_requests import request_index
from portal.services.release_checks import keep_findings, look_at
from portal.services.table_reading import TableReading
from portal.services.value import recompute_value
from portal.storage.base import Storage
from portal.tables.coordinates import system_in_names
from portal.tables.header import unique_names
from portal.tables.info import TableInfo
from portal.tables.profile import make_profile
from portal.tables.reader import Reading, read_as
from portal.tables.store import build_table

READY, FAILED, NO_TABLE = "ready", "failed", "none"
SAMPLE_ROWS, SAMPLES_MAX, SAMPLE_LENGTH = 20, 100, 60


def parse_data_version(
    database: Database, storage: Storage, clock: Clock, version_id: int
) -> TableInfo | None:
    """Parse the file of a data version and keep what was found, or why it could not be read.

    Returns:
        The table, None where there is none.

    A second run ends the same. A failure of the store is raised, so that the job is tried again.
    """
    with database.reading() as session:
        version = session.get(DataVersion, version_id)
        if version is None:
            return None
        is_document = version.table_state == NO_TABLE
        sha256, filename, number = version.sha256, version.filename, version.number
        reading = TableReading.of(version.distribution)
        items = _items(version.distribution.entry)
    if is_document:
        check_document(database, storage, clock, version_id)
        return None
    source = Path(storage.local_path(sha256))
    asked = reading.asked_of(number, source)
    try:
        info = _parse(storage, source, filename, items, asked, reading)
    except PortalError as error:
        defects = error.defects if isinstance(error, Invalid) else ()
        words = "；".join(defect.text() for defect in defects) or error.text()
        _keep(database, clock, version_id, None, words)
        return None
    path = Path(storage.local_path(info.parquet_sha256))
    samples, found = first_values(path), look_at(info, path, source)
    profile = make_profile(path, info)
    _keep(database, clock, version_id, info.as_dict(), "", samples, found, profile)
    return info


def first_values(path: Path) -> list[str]:
    """Return distinct texts of the first rows of a Parquet file, for the search."""
    file = ParquetFile(path)
    batch = next(file.iter_batches(batch_size=SAMPLE_ROWS), None)
    rows = batch.to_pylist() if batch is not None else []
    texts = (value for row in rows for value in row.values() if isinstance(value, str))
    return list(dict.fromkeys(t[:SAMPLE_LENGTH] for t in texts if t))[:SAMPLES_MAX]


def _parse(
    storage: Storage,
    source: Path,
    filename: str,
    items: Sequence[InformationItem],
    asked: Reading,
    reading: TableReading,
) -> TableInfo:
    with read_as(source, filename, asked) as parsed:
        if not any(parsed.named) and len(items) == len(parsed.names):
            # No header, and as many columns as items: the items name them, in their order.
            parsed.names = unique_names([item.name for item in items])
            parsed.named = [True] * len(parsed.names)
        known = _given_names(parsed.names, items)
        info = build_table(parsed, storage, names=known, types=reading.chosen_types)
    system = reading.coordinates or info.coordinates
    return replace(info, coordinates=system or system_in_names(c.name for c in info.columns))


def _given_names(names: Sequence[str], items: Sequence[InformationItem]) -> dict[str, str]:
    """Return column name -> field name of its item; two columns never get the same one."""
    by_name = {item.name: item.field_name for item in items}
    by_field = {item.field_name: item.field_name for item in items}
    known: dict[str, str] = {}
    for given in (by_name, by_field):
        for name in names:
            if name in given and name not in known and given[name] not in known.values():
                known[name] = given[name]
    return known


def _items(entry: CatalogueEntry) -> list[InformationItem]:
    """Return the information items in their order."""
    version = entry.published_version
    if version is None:
        return []
    return sorted(content_of(version).items, key=lambda item: item.order)


def _keep(
    database: Database,
    clock: Clock,
    version_id: int,
    table: dict[str, Any] | None,
    error: str,
    samples: list[str] | None = None,
    found: list[Any] | None = None,
    profile: dict[str, Any] | None = None,
) -> None:
    with database.writing() as session:
        version = session.get(DataVersion, version_id)
        if version is None:
            return
        version.table, version.profile = table, profile
        version.table_state = READY if table is not None else FAILED
        version.table_error = error
        version.hold = keep_findings(session, clock, version, found)
        if not version.public_table:  # else the samples are of that one
            version.samples = samples or []
        entry = version.distribution.entry
        if entry.is_public:
            recompute_value(session, clock, entry)
        request_index(session, clock, entry)
