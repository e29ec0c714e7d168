"""What was found when the link of a file was last tried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.db import Base, UtcDateTime
from portal.models.distribution import Distribution

WAITING, WORKS, MIRRORED, BROKEN, UNREACHABLE, REFUSED = (
    "waiting",
    "works",
    "mirrored",
    "broken",
    "unreachable",
    "refused",
)


class FileCheck(Base):
    """The newest check of one link: one row a distribution.

    `state`: waiting (not tried yet), works, mirrored (its bytes were fetched and kept), broken (the
    other side says that it is not there), unreachable (no answer; it may come back), refused (an
    address that we do not connect to, or more than we take). `failures` counts those in a row.
    `etag` and `last_modified` are those of the bytes that were kept.
    """

    __tablename__ = "file_check"

    id: Mapped[int] = mapped_column(primary_key=True)
    distribution_id: Mapped[int] = mapped_column(ForeignKey("distribution.id"), unique=True)
    url: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(20), default=WAITING)
    status: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(Text, default="")
    failures: Mapped[int] = mapped_column(Integer, default=0)
    etag: Mapped[str] = mapped_column(Text, default="")
    last_modified: Mapped[str] = mapped_column(Text, default="")
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def checks_of(session: Session, public_ids: Iterable[str]) -> Mapping[str, FileCheck]:
    """Return id of a distribution -> its check, for those that were tried."""
    query = (
        select(Distribution.public_id, FileCheck)
        .join(FileCheck, FileCheck.distribution_id == Distribution.id)
        .where(Distribution.public_id.in_(list(public_ids)), FileCheck.state != WAITING)
    )
    return {row.public_id: row.FileCheck for row in session.execute(query)}
