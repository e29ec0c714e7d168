"""Names that an entry had before: old addresses lead to the new one for ever."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.db import Base, UtcDateTime
from portal.errors import Invalid
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


def remember_slug(session: Session, entry: CatalogueEntry, new: str, now: datetime) -> None:
    """Give an entry another name; its old one leads to it from now on.

    Raises:
        Invalid: the name is another entry's, or was one's: addresses are never given twice.
    """
    taken = session.scalar(select(CatalogueEntry.id).where(CatalogueEntry.slug == new))
    earlier = session.get(FormerSlug, new)
    if taken is not None or (earlier is not None and earlier.entry_id != entry.id):
        raise Invalid.one("name", "taken", "“{value}”已被使用，请换一个。", value=new)
    if earlier is not None:
        session.delete(earlier)
    session.add(FormerSlug(slug=entry.slug, entry_id=entry.id, since=now))
    entry.slug = new
    session.flush()
