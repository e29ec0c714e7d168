"""Deadlines (期限) and notices (通知)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, Date, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime


class Deadline(Base):
    """By when one of `events` must have happened to a subject in a state. Dates are local.

    `source`: S by the Measures, L by other law, P the portal's own promise. A missed deadline
    is a flag (`closed_at` later than `due_on`, or still open after it), never a state.
    """

    __tablename__ = "deadline"

    id: Mapped[int] = mapped_column(primary_key=True)
    flow: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int] = mapped_column(Integer, index=True)
    entry_id: Mapped[int | None] = mapped_column(Integer, index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    actor_kind: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(30))
    events: Mapped[str] = mapped_column(String(300))
    start_on: Mapped[date] = mapped_column(Date)
    working_days: Mapped[int] = mapped_column(Integer)
    due_on: Mapped[date] = mapped_column(Date, index=True)
    provisional: Mapped[bool] = mapped_column(Boolean, default=False)
    source: Mapped[str] = mapped_column(String(1))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    met: Mapped[bool | None] = mapped_column(Boolean)


class Notice(Base):
    """A message to one account, written in the transaction of the event it tells of."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    event_id: Mapped[int] = mapped_column(ForeignKey("audit_event.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    link: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CalendarDay(Base):
    """A day that departs from the weekday rule; loaded from notices, editable by the Bureau."""

    __tablename__ = "calendar_day"

    date: Mapped[date] = mapped_column(Date, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(60), default="")
    source: Mapped[str] = mapped_column(String(200), default="")
    provisional: Mapped[bool] = mapped_column(Boolean, default=False)
