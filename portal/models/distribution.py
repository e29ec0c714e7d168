"""Distributions (files, interfaces, links) of an entry and the versions of their data."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    ForeignKey,
    Integer,
    String,
    Text,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from portal.db import Base, UtcDateTime
from portal.errors import NotFound
from portal.models.entry import CatalogueEntry

FILE, LINK, INTERFACE = "file", "link", "interface"
SCAN, REVIEW, APPLY, REFUSED = "scan", "review", "apply", "refused"
"""Why a data version is held back: not looked at yet, waits for a person, a decision is being applied,
a person decided that it does not go out."""


class Distribution(Base):
    """数据文件、链接或接口. CKAN calls it a resource; `public_id` is CKAN's id."""

    __tablename__ = "distribution"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(100), unique=True, default=lambda: str(uuid4()))
    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(300), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    format: Mapped[str] = mapped_column(String(100), default="")
    media_type: Mapped[str] = mapped_column(String(200), default="")
    url: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[int] = mapped_column(Integer, default=0)
    current_version_id: Mapped[int | None] = mapped_column(
        ForeignKey("data_version.id", use_alter=True)
    )
    reading: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """How a person says its tables are to be read: `portal.services.table_reading.TableReading`."""
    api_table: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """Of a table that is written through the API: `portal.tables.api_fields.ApiTable`."""
    remote_id: Mapped[str | None] = mapped_column(String(300))
    foreign: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    modified_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    row_version: Mapped[int] = mapped_column(Integer, default=1)

    entry: Mapped[CatalogueEntry] = relationship(lazy="joined")
    current_version: Mapped[DataVersion | None] = relationship(
        foreign_keys=[current_version_id], post_update=True, lazy="joined"
    )


class DataVersion(Base):
    """One delivery of the data behind a distribution; never changed, never removed.

    `table` is `portal.tables.TableInfo` as JSON once the file was parsed; `table_state` is
    none (not tabular), pending, ready, or failed with `table_error`. `samples` are texts of the
    first rows, for the search. `reason` says in the agency's words what changed.

    While `hold` is set nothing of the data leaves. `public_table`, a TableInfo too, stands for
    `table` wherever data goes out once columns were dropped or masked; see
    `portal.services.open_columns`.
    """

    __tablename__ = "data_version"
    __table_args__ = (UniqueConstraint("distribution_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    distribution_id: Mapped[int] = mapped_column(ForeignKey("distribution.id"), index=True)
    number: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    filename: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    table_state: Mapped[str] = mapped_column(String(20), default="none")
    table: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    samples: Mapped[list[str]] = mapped_column(JSON, default=list)
    table_error: Mapped[str] = mapped_column(Text, default="")
    hold: Mapped[str] = mapped_column(String(20), default="", server_default="", index=True)
    public_table: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    profile: Mapped[dict[str, Any] | None] = mapped_column(JSON, deferred=True)
    """Of the columns of `table`: `portal.tables.profile`, with the hash of the Parquet it is of."""

    distribution: Mapped[Distribution] = relationship(foreign_keys=[distribution_id], lazy="joined")


class Download(Base):
    """Downloads of one distribution on one day by one visitor (a daily salted hash) in one form."""

    __tablename__ = "download"
    __table_args__ = (UniqueConstraint("distribution_id", "day", "visitor", "form"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), index=True)
    distribution_id: Mapped[int] = mapped_column(ForeignKey("distribution.id"))
    day: Mapped[date] = mapped_column(Date)
    visitor: Mapped[str] = mapped_column(String(64))
    form: Mapped[str] = mapped_column(String(20))
    count: Mapped[int] = mapped_column(Integer, default=1)


def list_distributions(session: Session, entry_id: int) -> list[Distribution]:
    return list(
        session.scalars(
            select(Distribution)
            .where(Distribution.entry_id == entry_id, Distribution.deleted_at.is_(None))
            .order_by(Distribution.position, Distribution.id)
        )
    )


def get_distribution(session: Session, public_id: str) -> Distribution:
    found = session.scalars(
        select(Distribution).where(
            Distribution.public_id == public_id, Distribution.deleted_at.is_(None)
        )
    ).first()
    if found is None:
        raise NotFound("没有编号为“{key}”的数据文件。", key=public_id)
    return found


def find_profile(session: Session, entry_id: int, public_id: str) -> dict[str, Any] | None:
    """Return the kept profile of a file's newest data; see `portal.tables.profile`."""
    return session.scalar(
        select(DataVersion.profile)
        .join(Distribution, Distribution.current_version_id == DataVersion.id)
        .where(Distribution.entry_id == entry_id, Distribution.public_id == public_id)
    )
