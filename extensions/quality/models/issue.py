"""质量问题: the subject of flow F14."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, Integer, String, Text, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from portal.db import Base, UtcDateTime
from portal.errors import NotFound
from portal.models.distribution import DataVersion
from portal.models.entry import CatalogueEntry
from portal.models.organisation import Organisation

ENDED = ("closed", "dismissed")


class QualityIssue(Base):
    """One fault of one entry, with one owner: who collected or who verified (art. 22).

    check_code: a check of `rules.CHECKS`, or `manual` for what a person saw. `due_on`: the last day
    of the order. A mended issue names a newer data version, or a plan with a date. At most one live
    issue an entry and check; `manual` ones may be several.
    """

    __tablename__ = "quality_issue"
    __table_args__ = (
        Index(
            "uq_quality_issue_live",
            "entry_id",
            "check_code",
            unique=True,
            sqlite_where=text("state NOT IN ('closed', 'dismissed') AND check_code <> 'manual'"),
            postgresql_where=text(
                "state NOT IN ('closed', 'dismissed') AND check_code <> 'manual'"
            ),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(30), index=True)  # written by Flow only
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    form_key: Mapped[str | None] = mapped_column(String(80), unique=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), index=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    duty: Mapped[str] = mapped_column(String(20))  # collect, verify
    check_code: Mapped[str] = mapped_column(String(40))
    evidence: Mapped[str] = mapped_column(Text)
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ordered_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    ordered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    order: Mapped[str] = mapped_column("order_text", Text, default="")
    due_on: Mapped[date | None] = mapped_column(Date)
    fixed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answer: Mapped[str] = mapped_column(Text, default="")
    fixed_version_id: Mapped[int | None] = mapped_column(ForeignKey("data_version.id"))
    planned_on: Mapped[date | None] = mapped_column(Date)
    escalated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    conclusion: Mapped[str] = mapped_column(Text, default="")

    entry: Mapped[CatalogueEntry] = relationship(lazy="joined")
    owner: Mapped[Organisation] = relationship(lazy="joined")
    fixed_version: Mapped[DataVersion | None] = relationship()


def get_issue(session: Session, issue_id: int) -> QualityIssue:
    found = session.get(QualityIssue, issue_id)
    if found is None:
        raise NotFound("没有这个质量问题。")
    return found


def find_live_issue(session: Session, entry_id: int, check_code: str) -> QualityIssue | None:
    return session.scalars(
        select(QualityIssue).where(
            QualityIssue.entry_id == entry_id,
            QualityIssue.check_code == check_code,
            QualityIssue.state.not_in(ENDED),
        )
    ).first()


def list_issues_of(session: Session, entry_id: int) -> list[QualityIssue]:
    """Return the entry's issues, the newest first."""
    return list(
        session.scalars(
            select(QualityIssue)
            .where(QualityIssue.entry_id == entry_id)
            .order_by(QualityIssue.id.desc())
        )
    )
