"""Leased jobs: never twice at once, never lost."""

from __future__ import annotations

import threading

from sqlalchemy import select

from portal.jobs import queue
from portal.jobs.registry import JobKind
from portal.jobs.worker import Worker
from portal.models import Job
from portal.platform import Platform
from tests.factories import SetClock

KINDS = ["test"]


def _enqueue(platform: Platform, count: int = 1, **options: object) -> None:
    with platform.database.writing() as session:
        for number in range(count):
            queue.enqueue(session, platform.clock, "test", {"number": number}, **options)  # type: ignore[arg-type]


def _jobs(platform: Platform) -> list[Job]:
    with platform.database.reading() as session:
        return list(session.scalars(select(Job).order_by(Job.id)))


def test_a_job_rolled_back_never_runs(platform: Platform) -> None:
    with platform.database.writing_session() as session:
        queue.enqueue(session, platform.clock, "test")
        session.rollback()
    assert _jobs(platform) == []


def test_two_workers_never_run_the_same_job(platform: Platform) -> None:
    ran: list[int] = []
    lock = threading.Lock()

    def handler(_platform: Platform, payload: dict[str, int]) -> None:
        with lock:
            ran.append(payload["number"])

    platform.jobs.add(JobKind("test", handler))
    _enqueue(platform, 40)
    workers = [threading.Thread(target=Worker(platform).run_until_idle) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(ran) == list(range(40))
    assert {job.state for job in _jobs(platform)} == {"done"}


def test_a_dead_workers_job_goes_on_within_a_minute(platform: Platform, clock: SetClock) -> None:
    _enqueue(platform)
    with platform.database.writing() as session:
        assert queue.lease(session, clock, KINDS) is not None
    with platform.database.writing() as session:
        assert queue.lease(session, clock, KINDS) is None
    clock.advance(seconds=60)
    with platform.database.writing() as session:
        again = queue.lease(session, clock, KINDS)
    assert again is not None
    assert again.attempt == 2


def test_a_worker_that_lost_its_lease_finishes_nothing(platform: Platform, clock: SetClock) -> None:
    _enqueue(platform)
    with platform.database.writing() as session:
        first = queue.lease(session, clock, KINDS)
    clock.advance(seconds=60)
    with platform.database.writing() as session:
        queue.lease(session, clock, KINDS)
    assert first is not None
    with platform.database.writing() as session:
        assert not queue.renew(session, clock, first.id, first.lease)
        assert not queue.finish(session, clock, first.id, first.lease)


def test_a_failing_job_is_tried_again_and_then_quarantined_with_its_error(
    platform: Platform, clock: SetClock
) -> None:
    def handler(_platform: Platform, _payload: dict[str, int]) -> None:
        raise RuntimeError("the source is on fire")

    platform.jobs.add(JobKind("test", handler))
    _enqueue(platform, max_attempts=3)
    for _ in range(3):
        Worker(platform).run_until_idle()
        clock.advance(minutes=10)
    (job,) = _jobs(platform)
    assert (job.state, job.attempt) == ("quarantined", 3)
    assert "on fire" in job.error


def test_a_waiting_twin_is_enough(platform: Platform) -> None:
    _enqueue(platform, 3, key="once")
    assert len(_jobs(platform)) == 1


def test_recurring_jobs_are_queued_once_when_due(platform: Platform, clock: SetClock) -> None:
    worker = Worker(platform)
    worker.start_due_schedules()
    assert _jobs(platform) == []
    clock.advance(minutes=2)
    worker.start_due_schedules()
    Worker(platform).start_due_schedules()
    every_minute = {kind.name for kind in platform.jobs.recurring() if kind.cron == "* * * * *"}
    assert "seal_audit" in every_minute
    assert sorted(job.kind for job in _jobs(platform)) == sorted(every_minute)
