"""Look into a delivered document (no table) before it goes out, outside any web request."""

from __future__ import annotations

from pathlib import Path

from portal.clock import Clock
from portal.db import Database
from portal.models.distribution import DataVersion
from portal.services.index_requests import request_index
from portal.services.release_checks import keep_findings, look_at_document
from portal.storage.base import Storage


def check_document(database: Database, storage: Storage, clock: Clock, version_id: int) -> None:
    """Let every check that reads documents look; what none holds is free. A second run ends the same."""
    with database.reading() as session:
        version = session.get(DataVersion, version_id)
        if version is None:
            return
        sha256, kind = version.sha256, version.distribution.format
    found = look_at_document(Path(storage.local_path(sha256)), kind)
    with database.writing() as session:
        version = session.get(DataVersion, version_id)
        if version is None:
            return
        version.hold = keep_findings(session, clock, version, found)
        request_index(session, clock, version.distribution.entry)
