"""Parse the table inside a delivered file, outside any web request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyarrow.parquet import ParquetFile

from portal.clock import Clock
from portal.db import Database
from portal.errors import Invalid, PortalError
from portal.models.distribution import DataVersion
from portal.models.entry import CatalogueEntry
from portal.services.content import content_of
from portal.services.index_requests import request_index
from portal.services.release_checks import keep_findings, look_at
from portal.services.value import recompute_value
from portal.storage.base import Storage
from portal.tables.info import TableInfo
from portal.tables.reader import read_table
from portal.tables.store import build_table

READY, FAILED = "ready", "failed"
SAMPLE_ROWS, SAMPLES_MAX, SAMPLE_LENGTH = 20, 100, 60


def parse_data_version(database: Database, storage: Storage, clock: Clock, version_id: int) -> None:
    """Parse the file of a data version and keep what was found, or why it could not be read.

    A second run ends the same. A failure of the store is raised, so that the job is tried again.
    """
    with database.reading() as session:
        version = session.get(DataVersion, version_id)
        if version is None:
            return
        sha256, filename = version.sha256, version.filename
        names = _given_names(version.distribution.entry)
    try:
        info = _parse(storage, sha256, filename, names)
    except Invalid as error:
        _keep(database, clock, version_id, None, "；".join(d.text() for d in error.defects))
        return
    except PortalError as error:
        _keep(database, clock, version_id, None, error.text())
        return
    path = Path(storage.local_path(info.parquet_sha256))
    samples, found = first_values(path), look_at(info, path)
    _keep(database, clock, version_id, info.as_dict(), "", samples, found)


def first_values(path: Path) -> list[str]:
    """Return distinct texts of the first rows of a Parquet file, for the search."""
    file = ParquetFile(path)
    batch = next(file.iter_batches(batch_size=SAMPLE_ROWS), None)
    rows = batch.to_pylist() if batch is not None else []
    texts = (value for row in rows for value in row.values() if isinstance(value, str))
    return list(dict.fromkeys(t[:SAMPLE_LENGTH] for t in texts if t))[:SAMPLES_MAX]


def _parse(storage: Storage, sha256: str, filename: str, names: dict[str, str]) -> TableInfo:
    path = storage.local_path(sha256)
    with read_table(path, filename=filename) as parsed:
        known = {name: names[name] for name in parsed.names if name in names}
        return build_table(parsed, storage, names=known)


def _given_names(entry: CatalogueEntry) -> dict[str, str]:
    """Return column name -> field name of the entry's information items, by either name."""
    version = entry.published_version
    if version is None:
        return {}
    items = content_of(version).items
    by_field = {item.field_name: item.field_name for item in items}
    return by_field | {item.name: item.field_name for item in items}


def _keep(
    database: Database,
    clock: Clock,
    version_id: int,
    table: dict[str, Any] | None,
    error: str,
    samples: list[str] | None = None,
    found: list[Any] | None = None,
) -> None:
    with database.writing() as session:
        version = session.get(DataVersion, version_id)
        if version is None:
            return
        version.table = table
        version.table_state = READY if table is not None else FAILED
        version.table_error = error
        version.hold = keep_findings(session, clock, version, found)
        if not version.public_table:  # else the samples are of that one
            version.samples = samples or []
        entry = version.distribution.entry
        if entry.is_public:
            recompute_value(session, clock, entry)
        request_index(session, clock, entry)
