"""Calls of an interface: added up by the hour and by the term, and one by one without values."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, BigInteger, Date, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime


class ApiCall(Base):
    """One application's calls in one local hour. No values, no addresses."""

    __tablename__ = "api_call"

    application_id: Mapped[int] = mapped_column(
        ForeignKey("access_application.id"), primary_key=True
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    hour: Mapped[int] = mapped_column(Integer, primary_key=True)
    calls: Mapped[int] = mapped_column(Integer)
    rows: Mapped[int] = mapped_column(BigInteger)
    errors: Mapped[int] = mapped_column(Integer)


class TermUse(Base):
    """How many calls of a grant's term are used; kept for grants with such a limit."""

    __tablename__ = "access_term_use"

    application_id: Mapped[int] = mapped_column(
        ForeignKey("access_application.id"), primary_key=True
    )
    calls: Mapped[int] = mapped_column(BigInteger)


class CallRecord(Base):
    """One call: who, what for, which fields, how many rows, how long, how it ended. No values.

    `credential` is key or token; `code` the refusal's, "" if there was none.
    """

    __tablename__ = "access_call"
    __table_args__ = (
        Index("ix_access_call_application_id_called_at", "application_id", "called_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("access_application.id"))
    key_id: Mapped[int] = mapped_column(Integer)
    called_at: Mapped[datetime] = mapped_column(UtcDateTime)
    credential: Mapped[str] = mapped_column(String(8))
    operation: Mapped[str] = mapped_column(String(16))
    fields: Mapped[list[str]] = mapped_column(JSON)
    rows: Mapped[int] = mapped_column(BigInteger)
    milliseconds: Mapped[int] = mapped_column(Integer)
    status: Mapped[int] = mapped_column(Integer)
    code: Mapped[str] = mapped_column(String(30))
