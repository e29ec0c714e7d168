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
    """One reading of a source. States: gathering, writing, waiting (a person must confirm the
    removals), done, failed."""

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
    """One record of a run. States: gathered, created, updated, unchanged, faulty, gone, back."""

    __tablename__ = "harvest_item"
    __table_args__ = (UniqueConstraint("run_id", "remote_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(
        ForeignKey("harvest_run.id", ondelete="CASCADE"), index=True
    )
    remote_id: Mapped[str] = mapped_column(String(300))
    place: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(20))
    record: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    reason: Mapped[str] = mapped_column(Text, default="")
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("catalogue_entry.id"))


def get_source(session: Session, name: str) -> HarvestSource:
    source = session.scalars(select(HarvestSource).where(HarvestSource.name == name)).first()
    if source is None:
        raise NotFound("没有名为“{name}”的采集源。", name=name)
    return source
