"""附件: files that an applicant hands in with an application."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.db import Base, UtcDateTime
from portal.errors import NotFound


class AccessAttachment(Base):
    """One file; its content stands in storage under `sha256`."""

    __tablename__ = "access_attachment"

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("access_application.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


def list_attachments(session: Session, application_id: int) -> list[AccessAttachment]:
    return list(
        session.scalars(
            select(AccessAttachment)
            .where(AccessAttachment.application_id == application_id)
            .order_by(AccessAttachment.id)
        )
    )


def get_attachment(session: Session, application_id: int, attachment_id: int) -> AccessAttachment:
    """Return a file of this very application. Raises NotFound."""
    found = session.get(AccessAttachment, attachment_id)
    if found is None or found.application_id != application_id:
        raise NotFound("没有这个附件。")
    return found
