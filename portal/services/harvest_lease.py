"""Who may work on a run: the holder of the lease of its job, a worker or a command alike.

Every transaction of a run renews the lease first, so that a process that was held up and has
lost it writes nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import Clock
from portal.jobs import queue
from portal.models.harvest import HarvestRun
from portal.models.job import Job

HARVEST_RUN = "harvest_run"


class LeaseLost(Exception):
    """Another process works on the run now; this one stops."""


@dataclass(frozen=True)
class RunLease:
    job_id: int
    lease_id: str

    def hold(self, session: Session, clock: Clock) -> None:
        """Renew the lease in the caller's transaction.

        Raises:
            LeaseLost: somebody else has it, or the job has ended.
        """
        if not queue.renew(session, clock, self.job_id, self.lease_id):
            raise LeaseLost


def enqueue_run(session: Session, clock: Clock, run: HarvestRun) -> None:
    queue.enqueue(session, clock, HARVEST_RUN, {"run_id": run.id}, key=_key(run.id))


def find_job(session: Session, run_id: int) -> Job | None:
    """Return the newest job of the run."""
    query = select(Job).where(Job.key == _key(run_id)).order_by(Job.id.desc()).limit(1)
    return session.scalars(query).first()


def current_lease(session: Session, run_id: int) -> RunLease | None:
    """Return the lease under which a job handler has just been called."""
    job = find_job(session, run_id)
    return RunLease(job.id, job.lease) if job is not None and job.state == "running" else None


def take_lease(session: Session, clock: Clock, run: HarvestRun) -> RunLease | None:
    """Take the run for the calling process; None while another process holds it."""
    job = session.scalars(
        select(Job)
        .where(Job.key == _key(run.id))
        .order_by(Job.id.desc())
        .limit(1)
        .with_for_update()
    ).first()
    now = clock()
    if job is not None and job.state == "running" and job.leased_until and job.leased_until >= now:
        return None
    if job is None or job.state not in ("queued", "running"):
        enqueue_run(session, clock, run)
        session.flush()
        job = find_job(session, run.id)
        assert job is not None  # just queued
    job.state, job.attempt, job.lease = "running", 1, str(uuid4())
    job.leased_until = now + timedelta(seconds=queue.LEASE_SECONDS)
    session.flush()
    return RunLease(job.id, job.lease)


def _key(run_id: int) -> str:
    return f"{HARVEST_RUN}:{run_id}"
