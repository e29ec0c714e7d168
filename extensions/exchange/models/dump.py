"""目录全量导出: the whole public catalogue in files, as it stood at one time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.db import Base, UtcDateTime


class CatalogueDump(Base):
    """`files`: {name, media_type, sha256, size_bytes, uncompressed_bytes}; the bytes are in storage."""

    __tablename__ = "catalogue_dump"

    id: Mapped[int] = mapped_column(primary_key=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    records: Mapped[int]
    files: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


def list_dumps(session: Session) -> list[CatalogueDump]:
    """Return the dumps that are kept, the newest first."""
    return list(
        session.scalars(
            select(CatalogueDump).order_by(CatalogueDump.made_at.desc(), CatalogueDump.id.desc())
        )
    )
