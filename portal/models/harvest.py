"""Harvest sources, their runs, and what happened to each record."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from portal.db import Base, UtcDateTime
from portal.errors import NotFound
from portal.models.organisation import Organisation

LINK, MIRROR = "link", "mirror"


class HarvestSource(Base):
    """A foreign catalogue of one organisation. `trusted`: the provider's own published list.

    `options` are the kind's, but for the secret ones: those stand in `sealed`
    (`portal.services.source_secrets`). `columns` is the confirmed mapping of a spreadsheet,
    `sample` what was last seen of its first rows (`portal.services.source_columns`). `keep_files`:
    "link" (links are tried) or "mirror" (the files are fetched). A removed source keeps its row,
    since entries came from it.
    """

    __tablename__ = "harvest_source"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    url: Mapped[str] = mapped_column(Text)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    trusted: Mapped[bool] = mapped_column(Boolean, default=False)
    schedule: Mapped[str] = mapped_column(String(100), default="")
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    sealed: Mapped[str] = mapped_column(Text, default="", server_default="")
    columns: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    sample: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    keep_files: Mapped[str] = mapped_column(String(10), default=LINK, server_default=LINK)
    paused: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    row_version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")

    organisation: Mapped[Organisation] = relationship(lazy="joined")


class HarvestRun(Base):
    """One reading of a source.

    States: gathering, writing, waiting (a person must confirm the removals), done, failed,
    superseded (it waited, and a later run found out anew what is gone). `counts` holds the number
    of items by state, and `live`: how many entries of the source were public before the run.
    A `trial` says what a run would do, writes nothing into the catalogue, and ends as done.
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
    trial: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    error: Mapped[str] = mapped_column(Text, default="")

    source: Mapped[HarvestSource] = relationship(lazy="joined")


class HarvestItem(Base):
    """One record of a run, or one entry that the source no longer has.

    On its way: gathered (to be written), missing (to be retired), confirmed (to be retired, a
    person agreed). Settled: created, updated, unchanged, faulty, conflict (somebody else's, or
    just being worked on here), gone, back, absent (a draft whose record went; it stays).
    `changes` of a trial's item: what would differ, field by field.
    """

    __tablename__ = "harvest_item"
    __table_args__ = (
        UniqueConstraint("run_id", "remote_id"),
        Index("ix_harvest_item_state", "run_id", "state", "id"),
    )

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
    changes: Mapped[list[dict[str, str]] | None] = mapped_column(JSON)


LIVE = ("gathering", "writing")


def get_source(session: Session, name: str) -> HarvestSource:
    """Return the source of that name that was not removed. Raises NotFound."""
    query = select(HarvestSource).where(
        HarvestSource.name == name, HarvestSource.removed_at.is_(None)
    )
    source = session.scalars(query).first()
    if source is None:
        raise NotFound("没有名为“{name}”的采集源。", name=name)
    return source


def get_run(session: Session, run_id: int) -> HarvestRun:
    run = session.get(HarvestRun, run_id)
    if run is None:
        raise NotFound("没有这次采集。")
    return run


def find_last_run(session: Session, source_id: int) -> HarvestRun | None:
    """Return the newest run of a source that was no trial."""
    query = select(HarvestRun).where(HarvestRun.source_id == source_id, HarvestRun.trial.is_(False))
    return session.scalars(query.order_by(HarvestRun.id.desc()).limit(1)).first()


def find_live_run(session: Session, source_id: int) -> HarvestRun | None:
    """Return the run of the source that is under way (at most one)."""
    return session.scalars(
        select(HarvestRun).where(HarvestRun.source_id == source_id, HarvestRun.state.in_(LIVE))
    ).first()
