"""Uploads in parts: a file on its way, not yet anything that can be seen."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from sqlalchemy import JSON, BigInteger, ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.db import Base, UtcDateTime
from portal.errors import NotFound

OPEN, RECEIVED, DONE, FAILED = "open", "received", "done", "failed"


class PartialUpload(Base):
    """One file being uploaded by the tus protocol.

    `stage` runs open → received (all bytes are there) → done or failed with `error`.
    `offset_bytes` is how much counts: whatever storage holds beyond it never arrived whole.
    `parts` names the pieces in storage, in order. `lease` is of the request that is writing just
    now, until `leased_until`. `replaces_id` is the file that gets a new version, `distribution_id`
    the one that was made or got it.
    """

    __tablename__ = "partial_upload"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(36), unique=True, default=lambda: str(uuid4()))
    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), index=True)
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("distribution.id"))
    distribution_id: Mapped[int | None] = mapped_column(ForeignKey("distribution.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    filename: Mapped[str] = mapped_column(String(300))
    name: Mapped[str] = mapped_column(String(300), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    offset_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    sha256: Mapped[str] = mapped_column(String(64), default="")  # as the sender says; may be empty
    parts: Mapped[list[str]] = mapped_column(JSON, default=list)
    stage: Mapped[str] = mapped_column("state", String(20), default=OPEN, index=True)
    error: Mapped[str] = mapped_column(Text, default="")
    lease: Mapped[str] = mapped_column(String(36), default="")
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def get_partial_upload(session: Session, public_id: str) -> PartialUpload:
    """Raises: NotFound."""
    found = session.scalars(
        select(PartialUpload).where(PartialUpload.public_id == public_id)
    ).first()
    if found is None:
        raise NotFound("没有这个上传任务，可能已过期或已取消。请重新上传。")
    return found
