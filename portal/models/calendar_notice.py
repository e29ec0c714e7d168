"""Holiday notices that were loaded: which days they set, and how many deadlines moved."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime


class CalendarNotice(Base):
    """One load of days into `calendar_day`; never changed afterwards.

    `whole_year`: a State Council notice that covers its year; otherwise single days (snow, a local
    day off). `days` are {date, kind, name} as the notice gives them.
    """

    __tablename__ = "calendar_notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(Integer, index=True)
    whole_year: Mapped[bool] = mapped_column(Boolean)
    source: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(1000), default="")
    days: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    moved: Mapped[int] = mapped_column(Integer)
    confirmed: Mapped[int] = mapped_column(Integer)
    loaded_by: Mapped[str] = mapped_column(String(120))
    loaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
