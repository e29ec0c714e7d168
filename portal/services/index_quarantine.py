"""Entries that cannot be indexed: set aside with the reason, so that the others flow.

An index request that failed `POISON_AFTER` times waits no longer. The next change of the entry
asks anew, so does `xiangyun index retry-quarantined` and every rebuild.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from portal.clock import Clock
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.index_request import IndexRequest

POISON_AFTER = 5
_LONGEST_REASON = 2_000


@dataclass(frozen=True)
class Quarantined:
    """An entry that search does not show as it is, and why."""

    entry_id: int
    code: str
    slug: str
    title: str
    since: datetime
    reason: str


def is_quarantined() -> ColumnElement[bool]:
    return IndexRequest.attempts >= POISON_AFTER


def list_quarantined(session: Session, *, limit: int = 100) -> list[Quarantined]:
    """Return what is set aside, the longest first."""
    any_version = aliased(EntryVersion)
    newest = (
        select(func.max(any_version.id))
        .where(any_version.entry_id == CatalogueEntry.id)
        .scalar_subquery()
    )
    shown = func.coalesce(CatalogueEntry.published_version_id, newest)
    rows = session.execute(
        select(
            IndexRequest.entry_id,
            CatalogueEntry.code,
            CatalogueEntry.slug,
            func.coalesce(EntryVersion.title, ""),
            IndexRequest.requested_at,
            IndexRequest.error,
        )
        .join(CatalogueEntry, CatalogueEntry.id == IndexRequest.entry_id)
        .outerjoin(EntryVersion, EntryVersion.id == shown)
        .where(is_quarantined())
        .order_by(IndexRequest.requested_at, IndexRequest.entry_id)
        .limit(limit)
    )
    return [Quarantined(*row) for row in rows]


def count_quarantined(session: Session) -> int:
    query = select(func.count(IndexRequest.entry_id)).where(is_quarantined())
    return session.scalar(query) or 0


def record_faults(session: Session, faults: Mapping[int, str]) -> None:
    """Count a failed attempt of entries whose requests wait, with the reason."""
    for entry_id, reason in faults.items():
        session.execute(
            update(IndexRequest)
            .where(IndexRequest.entry_id == entry_id)
            .values(attempts=IndexRequest.attempts + 1, error=reason[:_LONGEST_REASON])
        )


def set_aside(session: Session, clock: Clock, faults: Mapping[int, str]) -> None:
    """Quarantine entries at once, whether a request waits or not (what a rebuild could not take)."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    versions = select(CatalogueEntry.id, CatalogueEntry.index_version).where(
        CatalogueEntry.id.in_(faults)
    )
    for entry_id, version in session.execute(versions).all():
        reason = faults[entry_id][:_LONGEST_REASON]
        session.execute(
            insert(IndexRequest)
            .values(
                entry_id=entry_id,
                version=version,
                requested_at=clock(),
                attempts=POISON_AFTER,
                error=reason,
            )
            .on_conflict_do_update(
                index_elements=["entry_id"], set_={"attempts": POISON_AFTER, "error": reason}
            )
        )


def retry_quarantined(session: Session) -> int:
    """Let everything that is set aside be tried again; return how many these are."""
    result = session.execute(update(IndexRequest).where(is_quarantined()).values(attempts=0))
    return int(result.rowcount)  # type: ignore[attr-defined]
