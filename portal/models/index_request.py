"""What the search index still has to hear of, and what must not be found meanwhile."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, LargeBinary, Text
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
    """The entry's public CKAN package as JSON bytes, made by the indexer.

    Valid only while `version` equals the entry's `index_version`; a reader that finds an older
    one renders the package itself, so a document is never wrong, only sometimes slow.
    """

    __tablename__ = "entry_document"

    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    package: Mapped[bytes] = mapped_column(LargeBinary)
