"""An agency's open list (数据开放清单) and its entries: flow F4."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from portal.db import Base, UtcDateTime
from portal.models.entry import CatalogueEntry, EntryVersion

ENDED = ("rejected", "removed")


class OpenListEntry(Base):
    """One catalogue entry's way onto its agency's open list. At most one unfinished an entry."""

    __tablename__ = "open_list_entry"
    __table_args__ = (
        Index(
            "uq_open_list_entry_live",
            "entry_id",
            unique=True,
            sqlite_where=text("state NOT IN ('rejected', 'removed')"),
            postgresql_where=text("state NOT IN ('rejected', 'removed')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), index=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("entry_version.id"))
    state: Mapped[str] = mapped_column(String(30), index=True)  # written by Flow only
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    open_type: Mapped[str] = mapped_column(String(30))
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reviewed_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    review: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    planned_open_date: Mapped[date | None] = mapped_column(Date)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    suspended_by: Mapped[str] = mapped_column(String(30), default="")  # agency, bureau
    removal_notice_on: Mapped[date | None] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(Text, default="")

    entry: Mapped[CatalogueEntry] = relationship(lazy="joined")
    version: Mapped[EntryVersion] = relationship(lazy="joined")


class OpenListRelease(Base):
    """A numbered public version of an agency's open list: one for every change."""

    __tablename__ = "open_list_release"
    __table_args__ = (UniqueConstraint("organisation_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    number: Mapped[int] = mapped_column(Integer)
    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"))
    change: Mapped[str] = mapped_column(String(40))
    released_at: Mapped[datetime] = mapped_column(UtcDateTime)


def find_open_list_entry(session: Session, entry_id: int) -> OpenListEntry | None:
    """Return the entry's live place on its agency's open list, if it has one."""
    return session.scalars(
        select(OpenListEntry).where(
            OpenListEntry.entry_id == entry_id, OpenListEntry.state.not_in(ENDED)
        )
    ).first()


def list_higher_planned(
    session: Session, place: OpenListEntry, *, limit: int = 3
) -> list[OpenListEntry]:
    """Return planned data of the same agency with a higher value score: it should open first."""
    return list(
        session.scalars(
            select(OpenListEntry)
            .join(CatalogueEntry, CatalogueEntry.id == OpenListEntry.entry_id)
            .where(
                OpenListEntry.state == "planned",
                OpenListEntry.id != place.id,
                CatalogueEntry.provider_id == place.entry.provider_id,
                CatalogueEntry.value_score > place.entry.value_score,
            )
            .order_by(CatalogueEntry.value_score.desc(), OpenListEntry.id)
            .limit(limit)
        )
    )
