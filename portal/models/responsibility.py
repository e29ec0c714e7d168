"""Which department answers for which system of agencies, and since when (Measures, art. 14)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, Date, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, UtcDateTime
from portal.models.organisation import Organisation


class BusinessSystem(Base):
    """系统（条线）: a line of business, such as transport, with its agencies."""

    __tablename__ = "business_system"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SystemMember(Base):
    """An organisation belongs to one system at most."""

    __tablename__ = "system_member"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("business_system.id"), index=True)


class ResponsibleAssignment(Base):
    """From `from_on` (local date) on, a department is responsible for a system.

    Only starts are kept: an assignment ends the day before the next one begins. So no day has two
    departments, and none after the first start is without one; the unique key makes it hold.
    `in_force`: entries and deadlines were handed over.
    """

    __tablename__ = "responsible_assignment"
    __table_args__ = (UniqueConstraint("system_id", "from_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("business_system.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    from_on: Mapped[date] = mapped_column(Date)
    basis: Mapped[str] = mapped_column(Text)
    in_force: Mapped[bool] = mapped_column(Boolean, default=False)
    recorded_by: Mapped[str] = mapped_column(String(120))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)

    organisation: Mapped[Organisation] = relationship(lazy="joined")
