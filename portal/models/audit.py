"""The audit trail (办理日志): append-only events, sealed in batches by hash."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Date, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime


class AuditEvent(Base):
    """Who did what, when, from which state to which, why, and whether in time.

    `event_key` makes an event idempotent: the same key on the same subject happens once.
    Triggers refuse UPDATE and DELETE on this table.
    """

    __tablename__ = "audit_event"
    __table_args__ = (UniqueConstraint("flow", "subject_id", "event_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[int | None] = mapped_column(Integer)
    actor_name: Mapped[str] = mapped_column(String(120))
    flow: Mapped[str] = mapped_column(String(40))
    event: Mapped[str] = mapped_column(String(60))
    subject_id: Mapped[int] = mapped_column(Integer, index=True)
    entry_id: Mapped[int | None] = mapped_column(Integer, index=True)
    from_state: Mapped[str] = mapped_column(String(30), default="")
    to_state: Mapped[str] = mapped_column(String(30), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    due_on: Mapped[date | None] = mapped_column(Date)
    in_time: Mapped[bool | None] = mapped_column(Boolean)
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    event_key: Mapped[str | None] = mapped_column(String(100))


class AuditSeal(Base):
    """One link of the chain: the digest over the previous seal and a batch of events."""

    __tablename__ = "audit_seal"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_count: Mapped[int] = mapped_column(Integer)
    previous_digest: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditSealedEvent(Base):
    """Which event stands at which place of which seal."""

    __tablename__ = "audit_sealed_event"
    __table_args__ = (UniqueConstraint("seal_number", "position"),)

    event_id: Mapped[int] = mapped_column(ForeignKey("audit_event.id"), primary_key=True)
    seal_number: Mapped[int] = mapped_column(ForeignKey("audit_seal.number"))
    position: Mapped[int] = mapped_column(Integer)
