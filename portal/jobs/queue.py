"""Queue jobs, lease them, finish them. All of it is rows in the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal.clock import Clock
from portal.models.job import Job

LEASE_SECONDS = 30
FIRST_RETRY_SECONDS = 2
LONGEST_RETRY_SECONDS = 300


def enqueue(
    session: Session,
    clock: Clock,
    kind: str,
    payload: Mapping[str, Any] | None = None,
    *,
    key: str | None = None,
    run_at: datetime | None = None,
    max_attempts: int = 5,
) -> None:
    """Write the job in the caller's transaction; with a `key`, one that waits already is enough.

    `payload` carries ids, never objects; the handler may run twice.
    """
    now = clock()
    values = {
        "kind": kind,
        "payload": dict(payload or {}),
        "key": key,
        "state": "queued",
        "created_at": now,
        "run_at": run_at or now,
        "attempt": 0,
        "max_attempts": max_attempts,
        "lease": "",
        "error": "",
    }
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(insert(Job).values(values).on_conflict_do_nothing())


def _due(kinds: list[str], now: datetime) -> ColumnElement[bool]:
    return Job.kind.in_(kinds) & or_(
        (Job.state == "queued") & (Job.run_at <= now),
        (Job.state == "running") & (Job.leased_until < now),
    )


def is_any_due(session: Session, clock: Clock, kinds: list[str]) -> bool:
    """True if `lease` would find something; asked first, so that idle workers lock nothing."""
    return session.scalar(select(Job.id).where(_due(kinds, clock())).limit(1)) is not None


def lease(session: Session, clock: Clock, kinds: list[str]) -> Job | None:
    """Lease the next job that is due, or one whose worker let its lease run out.

    Two workers never get the same job: PostgreSQL skips locked rows, SQLite has one writer.
    """
    now = clock()
    waiting = (
        select(Job)
        .where(_due(kinds, now))
        .order_by(Job.run_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    job = session.scalars(waiting).first()
    if job is None:
        return None
    if job.state == "running" and job.attempt >= job.max_attempts:
        _quarantine(job, clock, "执行该任务的进程多次中断。")
        return None
    job.state, job.attempt, job.lease = "running", job.attempt + 1, str(uuid4())
    job.leased_until = now + timedelta(seconds=LEASE_SECONDS)
    return job


def renew(session: Session, clock: Clock, job_id: int, lease_id: str) -> bool:
    """Lengthen the lease; False when another worker has it."""
    result = session.execute(
        update(Job)
        .where(Job.id == job_id, Job.lease == lease_id, Job.state == "running")
        .values(leased_until=clock() + timedelta(seconds=LEASE_SECONDS))
    )
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]


def finish(session: Session, clock: Clock, job_id: int, lease_id: str) -> bool:
    """Mark the job done, if the lease is still the caller's."""
    result = session.execute(
        update(Job)
        .where(Job.id == job_id, Job.lease == lease_id, Job.state == "running")
        .values(state="done", finished_at=clock(), leased_until=None, error="")
    )
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]


def fail(session: Session, clock: Clock, job_id: int, lease_id: str, error: str) -> None:
    """Queue the job again with back-off, or quarantine it with its error."""
    job = session.get(Job, job_id, with_for_update=True)
    if job is None or job.lease != lease_id:
        return
    job.error = error[:4000]
    if job.attempt >= job.max_attempts:
        _quarantine(job, clock, job.error)
        return
    wait = min(FIRST_RETRY_SECONDS * 2 ** (job.attempt - 1), LONGEST_RETRY_SECONDS)
    waiting_twin = session.scalar(
        select(func.count(Job.id)).where(Job.key == job.key, Job.state == "queued")
    )
    if job.key is not None and waiting_twin:
        job.state, job.finished_at, job.leased_until = "done", clock(), None
        return
    job.state, job.run_at, job.leased_until = "queued", clock() + timedelta(seconds=wait), None


def _quarantine(job: Job, clock: Clock, error: str) -> None:
    job.state, job.error, job.finished_at, job.leased_until = "quarantined", error, clock(), None


def count_by_state(session: Session) -> dict[str, int]:
    rows = session.execute(select(Job.state, func.count(Job.id)).group_by(Job.state))
    return {state: count for state, count in rows}  # noqa: C416
