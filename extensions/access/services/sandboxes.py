"""Sandboxes are made by jobs: a look every minute at what changed, and one job for each table.

Source: issue of the interfaces (art. 28 of the Measures asks for review before real data is given;
made-up data needs none).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import duckdb
import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from extensions.access.models.interface import DataInterface
from extensions.access.models.sandbox import Sandbox, find_sandbox
from extensions.access.models.upstream import UpstreamService
from extensions.access.rules import grantable_items
from portal.jobs.queue import enqueue
from portal.models.distribution import DataVersion, Distribution
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.services.content import content_of
from portal.services.open_columns import released_table
from portal.storage.base import ObjectMissing
from portal.tables.info import TableInfo

if TYPE_CHECKING:
    from portal.platform import Platform

MAKER = 1  # raise it when rows are made in another way: every sandbox is made again
WATCH, MAKE = "access_sandboxes", "access_sandbox"
log = structlog.get_logger(__name__)


def watch_sandboxes(platform: Platform, _payload: dict[str, Any]) -> None:
    """Queue a job for each interface whose items or table are not those its sandbox was made from."""
    with platform.database.reading() as session:
        due = list_due(session)
    if not due:
        return
    with platform.database.writing() as session:
        for interface_id in due:
            payload = {"interface_id": interface_id}
            enqueue(session, platform.clock, MAKE, payload, key=f"{MAKE}:{interface_id}")


def list_due(session: Session) -> list[int]:
    """Return the interfaces whose sandbox is missing or of something older."""
    rows = session.execute(
        select(DataInterface.id, *_SOURCE, Sandbox.mark)
        .join(CatalogueEntry, CatalogueEntry.id == DataInterface.entry_id)
        .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .outerjoin(Distribution, Distribution.id == DataInterface.table_distribution_id)
        .outerjoin(DataVersion, DataVersion.id == Distribution.current_version_id)
        .outerjoin(UpstreamService, _ANSWERS)
        .outerjoin(Sandbox, Sandbox.interface_id == DataInterface.id)
        .where(
            DataInterface.withdrawn_at.is_(None),
            CatalogueEntry.retired_at.is_(None),
            EntryVersion.open_type == "conditional",
        )
        .order_by(DataInterface.id)
    )
    return [identity for identity, *source, mark in rows if _mark(source) != mark]


_SOURCE = (
    DataInterface.fields,
    CatalogueEntry.published_version_id,
    DataVersion.id,
    DataVersion.table_state,
    DataVersion.hold,
    Distribution.deleted_at,
    UpstreamService.interface_id,
)
_ANSWERS = (UpstreamService.interface_id == DataInterface.id) & UpstreamService.disabled_at.is_(
    None
)


def _mark(source: list[Any]) -> str:
    return hashlib.sha256(repr((MAKER, source)).encode()).hexdigest()


def make_sandbox(platform: Platform, payload: dict[str, Any]) -> None:
    """Make the sandbox of one interface; a second run ends the same."""
    from extensions.access.synthetic.made_table import make_table  # only workers need it

    interface_id = int(payload["interface_id"])
    with platform.database.reading() as session:
        found = _source_of(session, interface_id)
    if found is None:
        return
    mark, api_code, items, real = found
    try:
        table = make_table(platform.storage, items, real, name=api_code)
    except (duckdb.Error, ObjectMissing) as error:
        log.error("a sandbox knows its metadata only", interface=api_code, error=str(error))
        table = make_table(platform.storage, items, None, name=api_code)
    _keep(platform, interface_id, mark, table)


def _source_of(
    session: Session, interface_id: int
) -> tuple[str, str, dict[str, Any], TableInfo | None] | None:
    row = session.execute(
        select(DataInterface, EntryVersion, DataVersion, Distribution.deleted_at, *_SOURCE)
        .join(CatalogueEntry, CatalogueEntry.id == DataInterface.entry_id)
        .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .outerjoin(Distribution, Distribution.id == DataInterface.table_distribution_id)
        .outerjoin(DataVersion, DataVersion.id == Distribution.current_version_id)
        .outerjoin(UpstreamService, _ANSWERS)
        .where(DataInterface.id == interface_id)
        .options(lazyload("*"))
    ).first()
    if row is None:
        return None
    interface, version, data, gone, *source = row
    items = grantable_items(content_of(version), interface.fields)
    is_tabular = gone is None and source[-1] is None  # a service answers in the types of the items
    real = released_table(data) if is_tabular else None
    return _mark(source), interface.api_code, items, real


def _keep(platform: Platform, interface_id: int, mark: str, table: TableInfo | None) -> None:
    """Let the table answer from now on; the one before it is thrown away, as nobody needs it."""
    with platform.database.writing() as session:
        sandbox = find_sandbox(session, interface_id)
        if sandbox is None:
            sandbox = Sandbox(interface_id=interface_id)
            session.add(sandbox)
        before = (sandbox.table or {}).get("parquet_sha256", "")
        sandbox.mark = mark
        sandbox.table = table.as_dict() if table is not None else None
        sandbox.made_at = platform.clock()
    if before and (table is None or before != table.parquet_sha256):
        platform.storage.delete(before)
