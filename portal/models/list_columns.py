"""What the columns of an organisation's own spreadsheets hold, as its people once said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.db import Base, UtcDateTime


class ListColumns(Base):
    """One confirmed mapping; an organisation has one for each header that its lists come with.

    `columns` is what `harvesters.open_list.column_mapping.ColumnMapping.of` reads; `digest` is
    that of the header (of the number of columns, where there is none).
    """

    __tablename__ = "list_columns"
    __table_args__ = (UniqueConstraint("organisation_id", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    columns: Mapped[dict[str, Any]] = mapped_column(JSON)
    confirmed_at: Mapped[datetime] = mapped_column(UtcDateTime)


def list_columns_of(session: Session, organisation_id: int) -> list[ListColumns]:
    """Return the mappings of an organisation, the newest first."""
    query = select(ListColumns).where(ListColumns.organisation_id == organisation_id)
    return list(session.scalars(query.order_by(ListColumns.confirmed_at.desc(), ListColumns.id)))
