"""Jobs are rows: written in the transaction that needs the work, leased by workers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime


class Job(Base):
    """One piece of work. `key` keeps a second equal job from being queued while one waits.

    States: queued, running, done, quarantined (failed `max_attempts` times, with its error).
    """

    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_waiting", "state", "run_at"),
        Index(
            "uq_job_key",
            "key",
            unique=True,
            sqlite_where=text("state = 'queued' AND key IS NOT NULL"),
            postgresql_where=text("state = 'queued' AND key IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(60))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    key: Mapped[str | None] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20), default="queued")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    run_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    max_attempts: Mapped[int] = mapped_column(Integer, default=5)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease: Mapped[str] = mapped_column(String(40), default="")
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str] = mapped_column(Text, default="")


class JobSchedule(Base):
    """When a recurring job is due next; one row a name."""

    __tablename__ = "job_schedule"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    cron: Mapped[str] = mapped_column(String(100))
    next_run_at: Mapped[datetime] = mapped_column(UtcDateTime)
