"""The worker: leases jobs and runs them, keeps the index up, starts what recurs.

Any number of workers may run on PostgreSQL. A worker that dies leaves its lease to run out;
the next one takes the job over.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog
from croniter import croniter
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from portal.clock import SHANGHAI
from portal.jobs import queue
from portal.models.job import Job, JobSchedule
from portal.platform import Platform
from portal.services import indexer
from search.engine import SearchUnavailable

log = structlog.get_logger(__name__)
RENEW_SECONDS = 10
LONGEST_INDEX_PAUSE_SECONDS = 4.0
WAITING_KINDS = frozenset({"harvest_run", "harvest_sample", "check_files"})
"""They wait for other people's servers; in lanes of their own they hold up nothing else."""
WAITING_LANES = 3


class Worker:
    """Runs until `stop` is called: one job at a time, and beside it those that wait for others."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._stopping = threading.Event()
        self._index_pause = 0.0
        self._index_at = 0.0

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        beside = [threading.Thread(target=self._index_loop, name="indexer", daemon=True)]
        waiting = frozenset(self._platform.jobs.names()) & WAITING_KINDS
        for number in range(WAITING_LANES if waiting else 0):
            target = partial(self._loop, partial(self._run_next, waiting))
            beside.append(threading.Thread(target=target, name=f"lane-{number}", daemon=True))
        for thread in beside:
            thread.start()
        quick = frozenset(self._platform.jobs.names()) - WAITING_KINDS
        self._loop(partial(self._run_next, quick, schedules=True))
        for thread in beside:
            thread.join(timeout=10)

    def _loop(self, run_next: Callable[[], bool]) -> None:
        while not self._stopping.is_set():
            if not run_next():
                self._stopping.wait(self._platform.settings.worker_poll_seconds)

    def _run_next(self, kinds: frozenset[str], *, schedules: bool = False) -> bool:
        """Queue what recurs and run the next job; while the database is away, there is none."""
        try:
            if schedules:
                self.start_due_schedules()
            return self.run_one(kinds)
        except DBAPIError as error:
            log.warning("database unavailable", error=str(error.orig))
            return False

    def run_until_idle(self) -> None:
        """Run everything that is due now, and bring the index up (tests, commands)."""
        while self.run_one():
            pass
        self._index()

    def run_one(self, kinds: frozenset[str] | None = None) -> bool:
        """Run the next job (of these kinds, else of any); return False when none is due."""
        platform = self._platform
        names = platform.jobs.names() if kinds is None else sorted(kinds)
        with platform.database.reading() as session:
            if not queue.is_any_due(session, platform.clock, names):
                return False
        with platform.database.writing() as session:
            job = queue.lease(session, platform.clock, names)
        if job is None:
            return False
        self._run(job)
        return True

    def _run(self, job: Job) -> None:
        platform = self._platform
        done = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(job.id, job.lease, done), daemon=True)
        keeper.start()
        try:
            platform.jobs[job.kind].handler(platform, dict(job.payload))
        except Exception as error:
            log.exception("job failed", job=job.id, kind=job.kind, attempt=job.attempt)
            text = "".join(traceback.format_exception_only(error)).strip()
            with platform.database.writing() as session:
                queue.fail(session, platform.clock, job.id, job.lease, text)
        else:
            with platform.database.writing() as session:
                queue.finish(session, platform.clock, job.id, job.lease)
        finally:
            done.set()
            keeper.join()

    def _keep(self, job_id: int, lease: str, done: threading.Event) -> None:
        while not done.wait(RENEW_SECONDS):
            try:
                with self._platform.database.writing() as session:
                    if not queue.renew(session, self._platform.clock, job_id, lease):
                        return
            except DBAPIError as error:
                log.warning("lease not renewed", job=job_id, error=str(error.orig))

    def _index_loop(self) -> None:
        """Bring the index up in small batches; while the engine is down, try again soon."""
        pause = poll = self._platform.settings.worker_poll_seconds
        while not self._stopping.wait(pause):
            try:
                indexed = self._index()
                pause = 0.0 if indexed else poll
            except SearchUnavailable as error:
                log.warning("search engine unavailable", error=str(error))
                pause = min(max(pause, poll) * 2, LONGEST_INDEX_PAUSE_SECONDS)
            except Exception:
                log.exception("indexing failed")
                pause = LONGEST_INDEX_PAUSE_SECONDS

    def _index(self) -> int:
        platform = self._platform
        return indexer.index_pending(platform.database, platform.engine, platform.clock)

    def start_due_schedules(self) -> None:
        """Queue every recurring job whose time has come; one worker does it."""
        platform = self._platform
        now = platform.clock()
        with platform.database.reading() as session:
            rows = {row.name: row for row in session.scalars(select(JobSchedule))}
        due = [
            kind
            for kind in platform.jobs.recurring()
            if (row := rows.get(kind.name)) is None
            or row.cron != kind.cron
            or row.next_run_at <= now
        ]
        if not due:
            return
        with platform.database.writing() as session:
            for kind in due:
                row = session.get(JobSchedule, kind.name, with_for_update=True)
                following = next_run(kind.cron, now)
                if row is None:
                    session.add(JobSchedule(name=kind.name, cron=kind.cron, next_run_at=following))
                elif row.cron != kind.cron:
                    row.cron, row.next_run_at = kind.cron, following
                elif row.next_run_at <= now:
                    queue.enqueue(session, platform.clock, kind.name, key=kind.name)
                    row.next_run_at = following


def next_run(cron: str, now: datetime) -> datetime:
    """Return the next instant of a cron expression read in Asia/Shanghai."""
    return croniter(cron, now.astimezone(SHANGHAI)).get_next(datetime)  # type: ignore[no-any-return]
