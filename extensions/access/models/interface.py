"""数据接口: what a conditionally open entry offers, and the table behind it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Integer, String, Text, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from portal.db import Base, UtcDateTime
from portal.errors import NotFound
from portal.models.distribution import Distribution
from portal.models.entry import CatalogueEntry


class DataInterface(Base):
    """An API at `/data/v1/<api_code>`.

    `fields` are the field names it may give at most; `table_distribution` the file whose table
    it serves (None until there is one); `daily_quota` and `per_minute` what is proposed to a
    reviewer. `withdrawn_at` ends it for everybody.
    """

    __tablename__ = "data_interface"

    id: Mapped[int] = mapped_column(primary_key=True)
    api_code: Mapped[str] = mapped_column(String(41), unique=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), index=True)
    distribution_id: Mapped[int] = mapped_column(ForeignKey("distribution.id"))
    table_distribution_id: Mapped[int | None] = mapped_column(ForeignKey("distribution.id"))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    fields: Mapped[list[str]] = mapped_column(JSON)
    sort_field: Mapped[str] = mapped_column(String(63), default="")
    daily_quota: Mapped[int] = mapped_column(Integer)
    per_minute: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    entry: Mapped[CatalogueEntry] = relationship(lazy="joined")
    distribution: Mapped[Distribution] = relationship(foreign_keys=[distribution_id])
    table_distribution: Mapped[Distribution | None] = relationship(
        foreign_keys=[table_distribution_id]
    )


def find_interface(session: Session, api_code: str) -> DataInterface | None:
    return session.scalars(select(DataInterface).where(DataInterface.api_code == api_code)).first()


def get_interface(session: Session, api_code: str) -> DataInterface:
    found = find_interface(session, api_code)
    if found is None:
        raise NotFound("没有代码为“{key}”的数据接口。", key=api_code[:60])
    return found


def list_interfaces(session: Session, entry_id: int) -> list[DataInterface]:
    """Return the entry's interfaces that are not withdrawn."""
    return list(
        session.scalars(
            select(DataInterface)
            .where(DataInterface.entry_id == entry_id, DataInterface.withdrawn_at.is_(None))
            .order_by(DataInterface.id)
        )
    )


_TABLE = DataInterface.__table__.c
_HAS_SOME = (
    select(_TABLE.id)
    .where(_TABLE.entry_id == bindparam("entry_id"), _TABLE.withdrawn_at.is_(None))
    .limit(1)
)  # made once: every data set's page asks it


def has_interfaces(session: Session, entry_id: int) -> bool:
    """Say whether the entry offers an interface; cheaper than reading them."""
    return session.connection().scalar(_HAS_SOME, {"entry_id": entry_id}) is not None
