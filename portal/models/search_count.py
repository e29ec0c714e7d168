"""What people search for: words and numbers, nobody's address, nobody's trail."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base


class SearchCount(Base):
    """How often some words were searched for on a local day, and by how many visitors."""

    __tablename__ = "search_count"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    words: Mapped[str] = mapped_column(String(60), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(10), primary_key=True)  # found, part, none
    count: Mapped[int] = mapped_column(Integer)
    visitors: Mapped[int] = mapped_column(Integer)


class SearchVisitor(Base):
    """Somebody has searched for some words today; the row is deleted the night after.

    `mark` is a keyed hash over day, words and visitor: rows of one visitor have nothing in common.
    """

    __tablename__ = "search_visitor"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    mark: Mapped[str] = mapped_column(String(32), primary_key=True)
