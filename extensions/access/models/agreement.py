"""使用协议: the text that an applicant accepted, with its hash."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.db import Base, UtcDateTime


class AccessAgreement(Base):
    """One acceptance; `hash` is the SHA-256 of `text`, `version` that of the form it follows."""

    __tablename__ = "access_agreement"

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("access_application.id"), unique=True)
    version: Mapped[str] = mapped_column(String(40))
    hash: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    accepted_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    accepted_at: Mapped[datetime] = mapped_column(UtcDateTime)


def find_agreement(session: Session, application_id: int) -> AccessAgreement | None:
    return session.scalars(
        select(AccessAgreement).where(AccessAgreement.application_id == application_id)
    ).first()
