"""Calls of an interface, added up by the hour: how many, how many rows, how many failed."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Date, ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base


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
