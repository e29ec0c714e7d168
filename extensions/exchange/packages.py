"""Walking what the public sees, in the order in which it changed.

A data set that was withdrawn stays in the walk as a tombstone: whoever keeps a copy learns of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.orm import Session

from extensions.exchange.changes import STAMP, after_former
from extensions.exchange.models.change import CatalogueChange
from extensions.exchange.position import FormerPosition, Position
from portal.models.entry import CatalogueEntry, find_entry
from portal.models.index_request import EntryDocument
from portal.models.organisation import Organisation
from portal.services.kept_packages import kept_packages
from portal.services.package_document import package_bytes, render_package, with_site

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class PublicRecord:
    """`package` is None for a tombstone; `reason` then says why the data set was withdrawn.

    `stamp` is when the entry says that it changed, `noted_at` when this portal noted the change;
    both are the same, and `position` is None, for a record that was not met on a walk.
    """

    position: Position | None
    stamp: datetime
    noted_at: datetime
    public_id: str
    name: str
    provider: str
    package: dict[str, Any] | None
    reason: str = ""


def walk_records(
    session: Session,
    site_url: str,
    *,
    after: Position | FormerPosition | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    provider: str = "",
    rows: int = 100,
) -> list[PublicRecord]:
    """Return the next records after a position, in the order in which their changes were noted.

    Args:
        since, until: bounds of when they were noted, both included.
        provider: slug of an organisation; empty for all.
    """
    if "\0" in provider:
        return []  # no organisation is called so, and PostgreSQL takes no such text
    change = CatalogueChange
    query = (
        _ever_public()
        .add_columns(change.sequence, change.changed_at)
        .join(change, change.entry_id == CatalogueEntry.id)
        .where(*_bounds(after, since, until))
    )
    if provider:
        query = query.where(Organisation.slug == provider)
    found = session.execute(query.order_by(change.sequence).limit(rows)).all()
    return [
        _record(session, row, site_url, Position(row.sequence), row.changed_at) for row in found
    ]


def _ever_public() -> Select[Any]:
    """Rows as `_record` reads them; a withdrawn entry comes without its kept package."""
    entry, kept = CatalogueEntry, EntryDocument
    return (
        select(entry.id, entry.public_id, entry.slug, entry.retired_at, entry.retired_reason,
               entry.index_version, STAMP.label("stamp"), Organisation.slug.label("provider"),
               kept.version, kept.package)
        .join(Organisation, Organisation.id == entry.provider_id)
        .outerjoin(kept, and_(kept.entry_id == entry.id, entry.retired_at.is_(None)))
        .where(entry.published_version_id.is_not(None))
    )  # fmt: skip


def _bounds(
    after: Position | FormerPosition | None, since: datetime | None, until: datetime | None
) -> Iterator[ColumnElement[bool]]:
    if isinstance(after, Position):
        yield after.sequence < CatalogueChange.sequence
    elif after is not None:
        yield after_former(after.stamp, after.entry_id)
    if since is not None:
        yield since <= CatalogueChange.changed_at
    if until is not None:
        yield until >= CatalogueChange.changed_at


def _record(
    session: Session,
    row: Any,
    site_url: str,
    position: Position | None = None,
    noted_at: datetime | None = None,
) -> PublicRecord:
    package = None
    if row.retired_at is None:
        current = row.version is not None and row.version == row.index_version
        raw = row.package if current else _rendered(session, row.id)
        package = _readable(raw, site_url)
    return PublicRecord(
        position, row.stamp, noted_at or row.stamp, row.public_id, row.slug, row.provider, package,
        row.retired_reason or "",
    )  # fmt: skip


def _readable(raw: bytes, site_url: str) -> dict[str, Any]:
    return readable_package(with_site(bytes(raw), site_url))


def readable_package(raw: bytes) -> dict[str, Any]:
    """Return the package with nothing in it that XML cannot hold; foreign records hold anything."""
    package: dict[str, Any] = _without_controls(orjson.loads(raw))
    return package


def _without_controls(value: Any) -> Any:
    if isinstance(value, str):
        return _NO_XML.sub("", value)
    if isinstance(value, list):
        return [_without_controls(one) for one in value]
    if isinstance(value, dict):
        return {key: _without_controls(one) for key, one in value.items()}
    return value


def _rendered(session: Session, entry_id: int) -> bytes:
    return render_package(session, session.get_one(CatalogueEntry, entry_id))


def list_page(session: Session, site_url: str, number: int, rows: int) -> list[PublicRecord]:
    """Return a page (from 1) of the data sets in the order of their making, which nothing moves."""
    query = (
        _ever_public()
        .where(CatalogueEntry.retired_at.is_(None))
        .order_by(CatalogueEntry.id)
        .offset((number - 1) * rows)
        .limit(rows)
    )
    return [_record(session, row, site_url) for row in session.execute(query).all()]


def find_record(session: Session, site_url: str, key: str) -> PublicRecord | None:
    """Return a data set that the public sees or saw, by its id, name or code."""
    entry = find_entry(session, key)
    if entry is None or entry.published_version_id is None:
        return None
    stamp = entry.retired_at or entry.metadata_modified_at
    change = session.get(CatalogueChange, entry.id)
    gone = entry.retired_at is not None
    return PublicRecord(
        None,
        stamp,
        change.changed_at if change else stamp,
        entry.public_id,
        entry.slug,
        entry.provider.slug,
        None if gone else package_of(session, entry, site_url),
        entry.retired_reason if gone else "",
    )


def package_of(session: Session, entry: CatalogueEntry, site_url: str) -> dict[str, Any]:
    """Return a public entry's package."""
    return _readable(package_bytes(session, entry), site_url)


def packages_of(
    session: Session, entries: Sequence[CatalogueEntry], site_url: str
) -> list[tuple[CatalogueEntry, dict[str, Any]]]:
    """Return public entries with their packages, by one query for all."""
    kept = kept_packages(session, [entry.id for entry in entries])
    return [(one, _readable(kept[one.id], site_url)) for one in entries if one.id in kept]
