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
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from extensions.exchange.position import Position
from portal.models.entry import CatalogueEntry, find_entry
from portal.models.index_request import EntryDocument
from portal.models.organisation import Organisation
from portal.services.kept_packages import kept_packages
from portal.services.package_document import package_bytes, render_package, with_site

STAMP = func.coalesce(CatalogueEntry.retired_at, CatalogueEntry.metadata_modified_at)
"""When the public's view of an entry last changed."""

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class PublicRecord:
    """`package` is None for a tombstone; `reason` then says why the data set was withdrawn."""

    position: Position
    public_id: str
    name: str
    provider: str
    package: dict[str, Any] | None
    reason: str = ""


def walk_records(
    session: Session,
    site_url: str,
    *,
    after: Position | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    provider: str = "",
    rows: int = 100,
) -> list[PublicRecord]:
    """Return the next records after a position, oldest change first.

    Args:
        since, until: bounds of the change, both included.
        provider: slug of an organisation; empty for all.
    """
    if "\0" in provider:
        return []  # no organisation is called so, and PostgreSQL takes no such text
    query = _ever_public().where(*_bounds(after, since, until))
    if provider:
        query = query.where(Organisation.slug == provider)
    query = query.order_by(STAMP, CatalogueEntry.id).limit(rows)
    return [_record(session, row, site_url) for row in session.execute(query).all()]


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
    after: Position | None, since: datetime | None, until: datetime | None
) -> Iterator[ColumnElement[bool]]:
    if after is not None:
        yield or_(
            after.stamp < STAMP, and_(after.stamp == STAMP, CatalogueEntry.id > after.entry_id)
        )
    if since is not None:
        yield since <= STAMP
    if until is not None:
        yield until >= STAMP


def _record(session: Session, row: Any, site_url: str) -> PublicRecord:
    package = None
    if row.retired_at is None:
        current = row.version is not None and row.version == row.index_version
        raw = row.package if current else _rendered(session, row.id)
        package = _readable(raw, site_url)
    return PublicRecord(
        Position(row.stamp, row.id), row.public_id, row.slug, row.provider, package,
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
    position = Position(stamp, entry.id)
    if entry.retired_at is not None:
        return PublicRecord(
            position, entry.public_id, entry.slug, entry.provider.slug, None, entry.retired_reason
        )
    return PublicRecord(
        position,
        entry.public_id,
        entry.slug,
        entry.provider.slug,
        package_of(session, entry, site_url),
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
