"""Templates of entries: what an organisation fills in again and again, kept under a name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.db import Base, UtcDateTime


class EntryTemplate(Base):
    """`content` is that of a version (`EntryContent` as JSON), without what is of one entry only."""

    __tablename__ = "entry_template"
    __table_args__ = (UniqueConstraint("organisation_id", "name", name="uq_entry_template_name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str] = mapped_column(String(100))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


def list_templates(session: Session, organisation_ids: frozenset[int]) -> list[EntryTemplate]:
    """Return the templates of the organisations, by name."""
    query = select(EntryTemplate).where(EntryTemplate.organisation_id.in_(organisation_ids))
    return list(session.scalars(query.order_by(EntryTemplate.name, EntryTemplate.id)))
