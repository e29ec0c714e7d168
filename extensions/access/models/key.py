"""密钥: the secret of a grant, kept as its hash alone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.db import Base, UtcDateTime


class AccessKey(Base):
    """One secret of an application, with the name that its holder gave it.

    `expires_at` is its own last moment; a newer one that takes its place may set an earlier one.
    """

    __tablename__ = "access_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("access_application.id"), index=True)
    name: Mapped[str | None] = mapped_column(String(60))
    prefix: Mapped[str] = mapped_column(String(16))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SigningKey(Base):
    """A key that signs access tokens: its public half as PEM, the private one sealed.

    The newest signs; those before it are published until no token of theirs can be valid.
    """

    __tablename__ = "access_signing_key"

    kid: Mapped[str] = mapped_column(String(43), primary_key=True)
    public_pem: Mapped[str] = mapped_column(Text)
    sealed_private: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


def list_keys(session: Session, application_id: int) -> list[AccessKey]:
    return list(
        session.scalars(
            select(AccessKey)
            .where(AccessKey.application_id == application_id)
            .order_by(AccessKey.id.desc())
        )
    )


def working_keys(session: Session, application_id: int, now: datetime) -> list[AccessKey]:
    """Return the secrets that open the interface now, the oldest first."""
    return list(
        session.scalars(
            select(AccessKey)
            .where(
                AccessKey.application_id == application_id,
                AccessKey.revoked_at.is_(None),
                (AccessKey.expires_at.is_(None)) | (AccessKey.expires_at > now),
            )
            .order_by(AccessKey.id)
        )
    )
