"""Random inspections (抽查, Measures, art. 47): a sample that anyone can draw again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, UtcDateTime
from portal.models.entry import CatalogueEntry


class SpotCheck(Base):
    """Announced with its population and the digest of a secret, then drawn, then concluded.

    `population` are the entry codes it draws from, frozen when it was announced; `commitment` is
    SHA-256 of `secret`, which is shown once the sample is drawn. `portal.rules.sampling` says how.
    """

    __tablename__ = "spot_check"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    scope: Mapped[dict[str, Any]] = mapped_column(JSON)
    sample_size: Mapped[int] = mapped_column(Integer)
    population: Mapped[list[str]] = mapped_column(JSON)
    population_digest: Mapped[str] = mapped_column(String(64))
    commitment: Mapped[str] = mapped_column(String(64))
    secret: Mapped[str] = mapped_column(String(64))
    public_value: Mapped[str] = mapped_column(String(200), default="")
    announced_by: Mapped[str] = mapped_column(String(120))
    announced_at: Mapped[datetime] = mapped_column(UtcDateTime)
    drawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    concluded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    conclusion: Mapped[str] = mapped_column(Text, default="")
    row_version: Mapped[int] = mapped_column(Integer, default=1)


class SpotCheckItem(Base):
    """One drawn entry. `finding`: empty while not looked at, then `passed` or `problem`."""

    __tablename__ = "spot_check_item"
    __table_args__ = (UniqueConstraint("check_id", "place"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    check_id: Mapped[int] = mapped_column(ForeignKey("spot_check.id"), index=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), index=True)
    place: Mapped[int] = mapped_column(Integer)
    mark: Mapped[str] = mapped_column(String(64))
    finding: Mapped[str] = mapped_column(String(20), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    found_by: Mapped[str] = mapped_column(String(120), default="")
    found_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    entry: Mapped[CatalogueEntry] = relationship(lazy="joined")
