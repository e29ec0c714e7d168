"""使用报告: what a grant's holder made of the data, due before each renewal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.db import Base, UtcDateTime


class UseReport(Base):
    """One report. `calls` and `rows` are the portal's own count since the grant began; `public` is
    the part that everybody may read ({title, kind, url, description}), None if there is none."""

    __tablename__ = "access_use_report"

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("access_application.id"), index=True)
    result: Mapped[str] = mapped_column(Text)
    incidents: Mapped[str] = mapped_column(Text)
    calls: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    public: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


def list_reports(session: Session, application_id: int) -> list[UseReport]:
    """Return the reports of a grant, the newest first."""
    return list(
        session.scalars(
            select(UseReport)
            .where(UseReport.application_id == application_id)
            .order_by(UseReport.id.desc())
        )
    )
