"""What stands beside a city's supplementary entry (flow F3): dismissals, and what absorbed it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, UtcDateTime
from portal.models.entry import CatalogueEntry


class CoverageDismissal(Base):
    """Why a near provincial entry does not cover what a supplementary version describes."""

    __tablename__ = "coverage_dismissal"
    __table_args__ = (UniqueConstraint("version_id", "provincial_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("entry_version.id"))
    provincial_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"))
    reason: Mapped[str] = mapped_column(Text)
    dismissed_by: Mapped[str] = mapped_column(String(120))
    dismissed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    provincial: Mapped[CatalogueEntry] = relationship(lazy="joined")


class Absorption(Base):
    """The provincial entry that took a supplementary one in."""

    __tablename__ = "supplementary_absorption"

    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), primary_key=True)
    provincial_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), index=True)
    absorbed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    provincial: Mapped[CatalogueEntry] = relationship(foreign_keys=[provincial_id], lazy="joined")
