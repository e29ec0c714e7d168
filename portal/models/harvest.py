"""Harvest sources, their runs, and what happened to each record."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from portal.db import Base, UtcDateTime
from portal.errors import NotFound
from portal.models.organisation import Organisation


class HarvestSource(Base):
    """A foreign catalogue of one organisation. `trusted`: the provider's own published list."""

    __tablename__ = "harvest_source"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    url: Mapped[str] = mapped_column(Text)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    trusted: Mapped[bool] = mapped_column(Boolean, default=False)
    schedule: Mapped[str] = mapped_column(String(100), default="")
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    organisation: Mapped[Organisation] = relationship(lazy="joined")


class HarvestRun(Base):
    """One reading of a source.

    States: gathering, writing, waiting (a person must confirm the removals), done, failed,
    superseded (it waited, and a later run found out anew what is gone). `counts` holds the number
    of items by state, and `live`: how many entries of the source were public before the run.
    """

    __tablename__ = "harvest_run"
    __table_args__ = (
        Index(
            "uq_harvest_run_live",
            "source_id",
            unique=True,
            sqlite_where=text("state IN ('gathering', 'writing')"),
            postgresql_where=text("state IN ('gathering', 'writing')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("harvest_source.id"), index=True)
    state: Mapped[str] = mapped_column(String(20))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    error: Mapped[str] = mapped_column(Text, default="")

    source: Mapped[HarvestSource] = relationship(lazy="joined")


class HarvestItem(Base):
    """One record of a run, or one entry that the source no longer has.

    On its way: gathered (to be written), missing (to be retired), confirmed (to be retired, a
    person agreed). Settled: created, updated, unchanged, faulty, conflict (somebody else's, or
    just being worked on here), gone, back, absent (a draft whose record went; it stays).
    """

    __tablename__ = "harvest_item"
    __table_args__ = (UniqueConstraint("run_id", "remote_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(
        ForeignKey("harvest_run.id", ondelete="CASCADE"), index=True
    )
    remote_id: Mapped[str] = mapped_column(String(300))
    place: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(20))
    record: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # title alone once settled
    reason: Mapped[str] = mapped_column(Text, default="")
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("catalogue_entry.id"))


LIVE = ("gathering", "writing")


def get_source(session: Session, name: str) -> HarvestSource:
    source = session.scalars(select(HarvestSource).where(HarvestSource.name == name)).first()
    if source is None:
        raise NotFound("没有名为“{name}”的采集源。", name=name)
    return source


def get_run(session: Session, run_id: int) -> HarvestRun:
    run = session.get(HarvestRun, run_id)
    if run is None:
        raise NotFound("没有这次采集。")
    return run


def find_last_run(session: Session, source_id: int) -> HarvestRun | None:
    query = select(HarvestRun).where(HarvestRun.source_id == source_id)
    return session.scalars(query.order_by(HarvestRun.id.desc()).limit(1)).first()


def find_live_run(session: Session, source_id: int) -> HarvestRun | None:
    """Return the run of the source that is under way (at most one)."""
    return session.scalars(
        select(HarvestRun).where(HarvestRun.source_id == source_id, HarvestRun.state.in_(LIVE))
    ).first()
