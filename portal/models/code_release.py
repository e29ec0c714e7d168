"""Code lists as versioned data (Measures, art. 6): each content a list ever had."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime


class CodeListRelease(Base):
    """One version of a list, as CSV text. `number` counts from 1 within the list."""

    __tablename__ = "code_list_release"
    __table_args__ = (UniqueConstraint("list_name", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_name: Mapped[str] = mapped_column(String(60))
    number: Mapped[int] = mapped_column(Integer)
    digest: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text)
    released_at: Mapped[datetime] = mapped_column(UtcDateTime)
