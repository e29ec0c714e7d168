"""Everything the page of one catalogue entry shows, read at once into plain values.

A view depends on nothing but the database at the entry's `index_version`: whatever changes the
page leaves an index request, so a page may keep a view for as long as that number stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from portal.models.distribution import FILE, DataVersion, Distribution, list_distributions
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.freshness import Freshness
from portal.models.organisation import Organisation
from portal.rules.entry_content import EntryContent
from portal.services.content import content_of
from portal.services.data_versions import earlier_closed_names
from portal.services.entry_changes import Change, list_changes
from portal.services.open_columns import Names, open_table, original_is_open
from portal.services.opening import Opening, find_opening
from portal.tables.info import TableInfo


@dataclass(frozen=True)
class Agency:
    code: str
    slug: str
    name: str
    name_en: str
    region_code: str


@dataclass(frozen=True)
class Delivery:
    """One version of the data behind a file."""

    number: int
    filename: str
    size_bytes: int
    sha256: str
    created_at: datetime
    original_open: bool = True  # False: it holds what does not leave


@dataclass(frozen=True)
class FileView:
    """One distribution. `deliveries` run from the newest to the first; empty for links."""

    public_id: str
    kind: str
    name: str
    description: str
    format: str
    media_type: str
    url: str
    deliveries: tuple[Delivery, ...]
    table_state: str
    table_error: str
    table: TableInfo | None  # of its open columns
    original_open: bool  # False: the file as delivered holds closed columns
    hold: str = ""  # why nothing of the newest data leaves yet

    @property
    def current(self) -> Delivery | None:
        return self.deliveries[0] if self.deliveries else None


@dataclass(frozen=True)
class RelatedEntry:
    slug: str
    title: str


@dataclass(frozen=True)
class EntryView:
    id: int
    public_id: str
    slug: str
    code: str
    version_number: int
    version_state: str
    is_public: bool
    content: EntryContent
    provider: Agency
    responsible_dept: Agency
    issued_at: datetime | None
    metadata_modified_at: datetime
    data_modified_at: datetime | None
    freshness: str
    opening: Opening | None
    value: Mapping[str, Any]
    value_badge: bool
    files: tuple[FileView, ...]
    changes: tuple[Change, ...]
    related: tuple[RelatedEntry, ...]

    @property
    def tables(self) -> tuple[FileView, ...]:
        return tuple(file for file in self.files if file.table is not None)

    @property
    def modified_at(self) -> datetime:
        return self.data_modified_at or self.metadata_modified_at


def view_entry(session: Session, entry: CatalogueEntry, version: EntryVersion) -> EntryView:
    """Return what the page shows of the entry in this version."""
    content = content_of(version)
    freshness = session.scalar(select(Freshness.state).where(Freshness.entry_id == entry.id))
    return EntryView(
        id=entry.id,
        public_id=entry.public_id,
        slug=entry.slug,
        code=entry.code,
        version_number=version.number,
        version_state=version.state,
        is_public=entry.is_public,
        content=content,
        provider=_agency(entry.provider),
        responsible_dept=_agency(entry.responsible_dept),
        issued_at=entry.issued_at,
        metadata_modified_at=entry.metadata_modified_at,
        data_modified_at=entry.data_modified_at,
        freshness=freshness or "",
        opening=find_opening(session, entry.id),
        value=entry.value or {},
        value_badge=entry.value_badge,
        files=_files(session, entry.id, content),
        changes=tuple(list_changes(session, entry.id)),
        related=_related(session, content.related_codes),
    )


def _agency(organisation: Organisation) -> Agency:
    return Agency(
        organisation.code,
        organisation.slug,
        organisation.name,
        organisation.name_en,
        organisation.region_code,
    )


def _files(session: Session, entry_id: int, content: EntryContent) -> tuple[FileView, ...]:
    distributions = list_distributions(session, entry_id)
    ids = [d.id for d in distributions if d.kind == FILE]
    deliveries = _deliveries(session, entry_id, ids, content)
    return tuple(_file(d, deliveries.get(d.id, ()), content) for d in distributions)


def _deliveries(
    session: Session, entry_id: int, ids: list[int], content: EntryContent
) -> dict[int, tuple[Delivery, ...]]:
    """Each version is asked by itself: an older one may hold what the newest does not."""
    if not ids:
        return {}
    found: dict[int, list[Delivery]] = defaultdict(list)
    query = (
        select(DataVersion)
        .options(lazyload(DataVersion.distribution))
        .where(DataVersion.distribution_id.in_(ids))
        .order_by(DataVersion.number.desc())
    )
    earlier: Names | None = None
    for data in session.scalars(query):
        closed = None
        if found[data.distribution_id]:  # an older one: also what was closed and is named no more
            earlier = closed = earlier or earlier_closed_names(session, entry_id, content)
        found[data.distribution_id].append(
            Delivery(
                data.number,
                data.filename,
                data.size_bytes,
                data.sha256,
                data.created_at,
                original_is_open(data, content, closed=closed),
            )
        )
    return {key: tuple(values) for key, values in found.items()}


def _file(
    distribution: Distribution, deliveries: tuple[Delivery, ...], content: EntryContent
) -> FileView:
    data = distribution.current_version
    return FileView(
        public_id=distribution.public_id,
        kind=distribution.kind,
        name=distribution.name,
        description=distribution.description,
        format=distribution.format.lower(),
        media_type=distribution.media_type,
        url=distribution.url,
        deliveries=deliveries,
        table_state=data.table_state if data else "none",
        table_error=data.table_error if data else "",
        table=open_table(data, content),
        original_open=original_is_open(data, content),
        hold=data.hold if data else "",
    )


def _related(session: Session, codes: tuple[str, ...]) -> tuple[RelatedEntry, ...]:
    if not codes:
        return ()
    query = (
        select(CatalogueEntry.slug, EntryVersion.title)
        .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .where(CatalogueEntry.code.in_(codes), CatalogueEntry.retired_at.is_(None))
        .order_by(CatalogueEntry.code)
    )
    return tuple(RelatedEntry(*row) for row in session.execute(query))
