"""Whether an entry's data is kept up to date: flow F2."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, UtcDateTime
from portal.models.entry import CatalogueEntry


class Freshness(Base):
    """One row beside each published entry whose update frequency has a period."""

    __tablename__ = "freshness"

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), unique=True)
    state: Mapped[str] = mapped_column(String(30), index=True)  # written by Flow only
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    overdue_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    entry: Mapped[CatalogueEntry] = relationship(lazy="joined")
