"""The last quality report of an entry."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime


class QualityReport(Base):
    """Score 0 to 100 with the findings behind it, computed for the entry at `index_version`.

    findings: `rules.Found` as JSON, the heaviest first. `method_version` names the sum's rules.
    """

    __tablename__ = "quality_report"

    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), primary_key=True)
    index_version: Mapped[int] = mapped_column(Integer)
    score: Mapped[float] = mapped_column(Float, index=True)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    method_version: Mapped[int] = mapped_column(Integer)
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)
