"""数据系列: data sets that hold the same data of different years or regions (`dcat:DatasetSeries`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import ForeignKey, Integer, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from portal.db import Base, UtcDateTime
from portal.errors import NotFound
from portal.models.entry import CatalogueEntry
from portal.models.organisation import Organisation


class DatasetSeries(Base):
    """`cut_by`: by what its data sets differ, a key of `series_names.CUTS`."""

    __tablename__ = "dataset_series"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(36), unique=True, default=lambda: str(uuid4()))
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    cut_by: Mapped[str] = mapped_column(String(20))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    modified_at: Mapped[datetime] = mapped_column(UtcDateTime)
    row_version: Mapped[int] = mapped_column(Integer, default=1)

    organisation: Mapped[Organisation] = relationship(lazy="joined")


class SeriesMember(Base):
    """An entry stands in one series at most; `label` says what it holds of it (2024年, 长春市)."""

    __tablename__ = "series_member"

    entry_id: Mapped[int] = mapped_column(
        ForeignKey("catalogue_entry.id", ondelete="CASCADE"), primary_key=True
    )
    series_id: Mapped[int] = mapped_column(
        ForeignKey("dataset_series.id", ondelete="CASCADE"), index=True
    )
    position: Mapped[int] = mapped_column(Integer)
    label: Mapped[str] = mapped_column(String(60))

    entry: Mapped[CatalogueEntry] = relationship(lazy="joined")
    series: Mapped[DatasetSeries] = relationship(lazy="joined")


def get_series(session: Session, series_id: int) -> DatasetSeries:
    found = session.get(DatasetSeries, series_id)
    if found is None:
        raise NotFound("没有这个数据系列。")
    return found


def find_series(session: Session, public_id: str) -> DatasetSeries | None:
    query = select(DatasetSeries).where(DatasetSeries.public_id == public_id)
    return session.scalars(query).first()


def list_members(session: Session, series_id: int) -> Sequence[SeriesMember]:
    """Return the members in their order, those that are not public too."""
    query = select(SeriesMember).where(SeriesMember.series_id == series_id)
    return session.scalars(query.order_by(SeriesMember.position, SeriesMember.entry_id)).all()


def public_members(session: Session, series_id: int) -> list[SeriesMember]:
    """Return the members that everybody may see, in their order."""
    return [one for one in list_members(session, series_id) if one.entry.is_public]
