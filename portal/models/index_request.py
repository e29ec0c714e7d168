"""What the search index still has to hear of, and what must not be found meanwhile."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime


class IndexRequest(Base):
    """The entry changed up to `version`; the indexer deletes the row once the index knows."""

    __tablename__ = "index_request"

    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    error: Mapped[str] = mapped_column(Text, default="")


class SearchDenial(Base):
    """The entry became less visible: every search leaves it out until the index has `version`."""

    __tablename__ = "search_denial"

    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer)


class EntryDocument(Base):
    """The entry's public CKAN package as JSON bytes, made in the transaction of each change."""

    __tablename__ = "entry_document"

    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), primary_key=True)
    package: Mapped[bytes] = mapped_column(LargeBinary)
    etag: Mapped[str] = mapped_column(String(64))
