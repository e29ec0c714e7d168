"""Names that an entry had before: old addresses lead to the new one for ever."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.db import Base, UtcDateTime
from portal.models.entry import CatalogueEntry


class FormerSlug(Base):
    __tablename__ = "former_slug"

    slug: Mapped[str] = mapped_column(String(120), primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), index=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)


def find_renamed_entry(session: Session, slug: str) -> CatalogueEntry | None:
    """Return the entry that once had this name."""
    query = select(CatalogueEntry).join(FormerSlug, FormerSlug.entry_id == CatalogueEntry.id)
    return session.scalars(query.where(FormerSlug.slug == slug)).first()
