"""数据需求: the subject of flow F17, and its votes."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Integer, String, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from extensions.participation.models.moderated import Moderated
from portal.db import Base, UtcDateTime
from portal.errors import NotFound
from portal.models.entry import CatalogueEntry
from portal.models.organisation import Organisation

LIVE = ("open", "assigned", "planned")


class DataDemand(Moderated, Base):
    """Data that somebody wants and that is not open yet.

    `wanted_agency_id` is the filer's guess, `agency_id` whom the Bureau assigned it to. `entry_id`
    is the entry that it is about: named by the filer, or by the answer. `planned_on` is the day
    by which the agency will open it; `ground` and `answer` say why not, or how.
    """

    __tablename__ = "data_demand"

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(30), index=True)  # written by Flow only
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    title: Mapped[str] = mapped_column(String(200))
    purpose: Mapped[str] = mapped_column(Text)
    wanted: Mapped[str] = mapped_column(Text)
    theme: Mapped[str] = mapped_column(String(30), default="")
    wanted_agency_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("catalogue_entry.id"), index=True)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("data_demand.id"))
    planned_on: Mapped[date | None] = mapped_column(Date)
    ground: Mapped[str] = mapped_column(String(30), default="")
    answer: Mapped[str] = mapped_column(Text, default="")
    assigned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    wanted_agency: Mapped[Organisation | None] = relationship(foreign_keys=[wanted_agency_id])
    agency: Mapped[Organisation | None] = relationship(foreign_keys=[agency_id])
    entry: Mapped[CatalogueEntry | None] = relationship(foreign_keys=[entry_id])
    merged_into: Mapped[DataDemand | None] = relationship(
        foreign_keys=[merged_into_id], remote_side=[id]
    )

    @property
    def number(self) -> str:
        """The number that people quote."""
        return f"XQ{self.id:08d}"


class DemandVote(Base):
    """One account's vote; its key makes a second one impossible."""

    __tablename__ = "demand_vote"

    demand_id: Mapped[int] = mapped_column(ForeignKey("data_demand.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, index=True)
    voted_at: Mapped[datetime] = mapped_column(UtcDateTime)


def get_demand(session: Session, demand_id: int) -> DataDemand:
    found = session.get(DataDemand, demand_id)
    if found is None:
        raise NotFound("没有这条数据需求。")
    return found


def has_voted(session: Session, demand_id: int, account_id: int | None) -> bool:
    return account_id is not None and session.get(DemandVote, (demand_id, account_id)) is not None


def count_votes(session: Session, demand_ids: list[int]) -> dict[int, int]:
    """Return demand id -> votes; a demand without votes is left out."""
    rows = session.execute(
        select(DemandVote.demand_id, func.count())
        .where(DemandVote.demand_id.in_(demand_ids))
        .group_by(DemandVote.demand_id)
    )
    return {row[0]: row[1] for row in rows}
