"""Small shared numbers and values: sequences, rate windows, kept settings."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime


class CodeSequence(Base):
    """The last sequence number given under a classification code; never given twice."""

    __tablename__ = "code_sequence"

    front: Mapped[str] = mapped_column(String(30), primary_key=True)
    last: Mapped[int] = mapped_column(Integer)


class RateWindow(Base):
    """How often something happened in a window of time, shared by all processes."""

    __tablename__ = "rate_window"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    window_start: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    count: Mapped[int] = mapped_column(Integer)


class KeptValue(Base):
    """A value that the installation keeps for itself (daily salts, sample accounts made)."""

    __tablename__ = "kept_value"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
