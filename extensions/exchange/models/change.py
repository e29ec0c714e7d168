"""公开变更: for each entry that the public sees or saw, when its public view last changed, in order."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime


class CatalogueChange(Base):
    """`sequence` only grows, in the order in which changes became visible (see `changes`).

    `index_version` is that of the entry when it was looked at; `digest` the SHA-256 of the package
    then, empty for an entry that was withdrawn (`removed`); `changed_at` when the change was noted.
    """

    __tablename__ = "catalogue_change"

    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, unique=True)
    index_version: Mapped[int] = mapped_column(Integer)
    removed: Mapped[bool] = mapped_column(Boolean)
    digest: Mapped[str] = mapped_column(String(64))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
