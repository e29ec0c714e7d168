"""Catalogue entries and their versions: two things (identity, and what is said of it)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, lazyload, mapped_column, relationship

from portal.db import Base, UtcDateTime
from portal.errors import NotFound
from portal.models.organisation import Organisation

UNFINISHED = ("draft", "submitted", "returned", "approved")


class CatalogueEntry(Base):
    """公共数据资源目录条目: identity, code, provider, and which version the public sees.

    `index_version` rises with every request to index the entry. `value_*` is the last computed
    value score; `retired_at` is set while the published version is retired;
    `source_fingerprint` is the digest of what a harvest source last said of the entry.
    """

    __tablename__ = "catalogue_entry"
    __table_args__ = (UniqueConstraint("source_id", "remote_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(100), unique=True, default=lambda: str(uuid4()))
    slug: Mapped[str] = mapped_column(String(120), unique=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    metadata_profile: Mapped[str] = mapped_column(String(20))
    provider_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    responsible_dept_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    published_version_id: Mapped[int | None] = mapped_column(
        ForeignKey("entry_version.id", use_alter=True)
    )
    supplementary: Mapped[bool] = mapped_column(Boolean, default=False)
    source_id: Mapped[int | None] = mapped_column(ForeignKey("harvest_source.id"), index=True)
    remote_id: Mapped[str | None] = mapped_column(String(300))
    source_fingerprint: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    issued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    metadata_modified_at: Mapped[datetime] = mapped_column(UtcDateTime)
    data_modified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    retired_reason: Mapped[str] = mapped_column(Text, default="")
    retired_by_source: Mapped[bool] = mapped_column(Boolean, default=False)
    needs_second_look: Mapped[bool] = mapped_column(Boolean, default=False)
    livelihood_confirmed: Mapped[bool] = mapped_column(Boolean, default=False)
    hvd_tagged: Mapped[bool] = mapped_column(Boolean, default=False)
    value_score: Mapped[float] = mapped_column(Float, default=0.0)
    value_badge: Mapped[bool] = mapped_column(Boolean, default=False)
    value: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    index_version: Mapped[int] = mapped_column(Integer, default=0)
    row_version: Mapped[int] = mapped_column(Integer, default=1)

    provider: Mapped[Organisation] = relationship(foreign_keys=[provider_id], lazy="joined")
    responsible_dept: Mapped[Organisation] = relationship(
        foreign_keys=[responsible_dept_id], lazy="joined"
    )
    published_version: Mapped[EntryVersion | None] = relationship(
        foreign_keys=[published_version_id], post_update=True
    )

    @property
    def is_city_compiled(self) -> bool:
        """True for a city's own supplementary entry (flow F3); a harvested one follows its source."""
        return self.supplementary and self.source_id is None

    @property
    def is_public(self) -> bool:
        return self.published_version_id is not None and self.retired_at is None


class EntryVersion(Base):
    """One numbered version; the subject of flow F1. Immutable once submitted.

    `content` is `portal.rules.entry_content.EntryContent` as JSON; the columns beside it repeat
    what queries and guards ask for. `editors` are the account ids that changed this version.
    `similar_entries` are the published entries that were shown at its last submission
    (`portal.services.similar_entries.Similar` as JSON); `release_on` is the local day on which an
    approved version comes out, None for at once.
    """

    __tablename__ = "entry_version"
    __table_args__ = (
        UniqueConstraint("entry_id", "number"),
        Index(
            "uq_entry_version_unfinished",
            "entry_id",
            unique=True,
            sqlite_where=text("state IN ('draft', 'submitted', 'returned', 'approved')"),
            postgresql_where=text("state IN ('draft', 'submitted', 'returned', 'approved')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), index=True)
    number: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(30), index=True)  # written by Flow only
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    content_hash: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(500), index=True)
    theme: Mapped[str] = mapped_column(String(30), default="")
    share_type: Mapped[str] = mapped_column(String(30), default="")
    open_type: Mapped[str] = mapped_column(String(30), default="")
    security_level: Mapped[str] = mapped_column(String(5), default="")
    acquisition_method: Mapped[str] = mapped_column(String(30), default="")
    update_frequency: Mapped[str] = mapped_column(String(30), default="")
    editors: Mapped[list[int]] = mapped_column(JSON, default=list)
    return_defects: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    change_note: Mapped[str] = mapped_column(Text, default="")
    similar_entries: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    release_on: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    modified_at: Mapped[datetime] = mapped_column(UtcDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    returned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    entry: Mapped[CatalogueEntry] = relationship(foreign_keys=[entry_id], lazy="joined")


def find_entry(session: Session, key: str) -> CatalogueEntry | None:
    """Return the entry with this public id, slug (CKAN name) or resource code.

    Its organisations are read when they are asked for: pages that are kept do not ask.
    """
    for query in _BY_NAME:
        entry = session.scalars(query, {"key": key}).first()
        if entry is not None:
            return entry
    return None


_BY_NAME = tuple(
    select(CatalogueEntry)
    .where(column == bindparam("key"))
    .options(lazyload(CatalogueEntry.provider), lazyload(CatalogueEntry.responsible_dept))
    for column in (CatalogueEntry.slug, CatalogueEntry.public_id, CatalogueEntry.code)
)


def get_entry(session: Session, key: str) -> CatalogueEntry:
    entry = find_entry(session, key)
    if entry is None:
        raise NotFound("没有代码或名称为“{key}”的数据。", key=key)
    return entry


def get_version(session: Session, version_id: int) -> EntryVersion:
    version = session.get(EntryVersion, version_id)
    if version is None:
        raise NotFound("没有这个目录版本。")
    return version


def find_unfinished_version(session: Session, entry_id: int) -> EntryVersion | None:
    """Return the version of the entry that is still on its way (at most one)."""
    return session.scalars(
        select(EntryVersion).where(
            EntryVersion.entry_id == entry_id, EntryVersion.state.in_(UNFINISHED)
        )
    ).first()


def list_versions(session: Session, entry_id: int) -> list[EntryVersion]:
    return list(
        session.scalars(
            select(EntryVersion)
            .where(EntryVersion.entry_id == entry_id)
            .order_by(EntryVersion.number.desc())
        )
    )
