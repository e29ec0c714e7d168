"""Jobs of harvesting: one works on a run, one starts what is due.

Writing is cut into slices: a run of thousands of records lets other jobs through in between.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import requests
import structlog

from portal.actor import SYSTEM
from portal.jobs import queue
from portal.jobs.source_reader import USER_AGENT, SourceReader
from portal.models.harvest import HarvestSource, get_run
from portal.net import guarded_session
from portal.services.file_checks import FileChecking, list_due, plan_missing
from portal.services.harvest_lease import LeaseLost, RunLease, current_lease, enqueue_run
from portal.services.harvest_run import HarvestExecution, Progress, no_progress
from portal.services.harvesting import HarvestService
from portal.services.source_columns import FAILED, read_source_sample
from portal.services.source_secrets import SecretsUnreadable, SourceSecrets

if TYPE_CHECKING:
    from portal.platform import Platform

log = structlog.get_logger(__name__)
SLICE_SECONDS = 20.0
RENEW_SECONDS = 10
SAMPLE_SECONDS, FILE_SECONDS = 60.0, 600.0


def run_harvest(platform: Platform, payload: dict[str, Any]) -> None:
    """Work on a run for a while; what is left is queued again behind what waits."""
    run_id = payload["run_id"]
    with platform.database.reading() as session:
        lease = current_lease(session, run_id)
    if lease is None:
        return
    try:
        ended = execution(platform, run_id, lease).go(seconds=SLICE_SECONDS)
    except LeaseLost:
        log.warning("a harvest run was taken over", run=run_id)
        return
    if not ended:
        with platform.database.writing() as session:
            lease.hold(session, platform.clock)
            enqueue_run(session, platform.clock, get_run(session, run_id))


def start_due(platform: Platform) -> None:
    """Start what is scheduled, and pick up what nobody works on."""
    with platform.database.reading() as session:
        if not HarvestService(session, platform.clock).is_any_due():
            return
    with platform.database.writing() as session:
        HarvestService(session, platform.clock).start_due(SYSTEM)


def read_sample(platform: Platform, payload: dict[str, Any]) -> None:
    """Read the first rows of a spreadsheet source, for the person who maps its columns."""
    with platform.database.reading() as session:
        source = session.get(HarvestSource, payload["source_id"])
    if source is None or source.removed_at is not None:
        return
    try:
        options = SourceSecrets(platform.settings.secret_key).options_of(source)
        with client(platform, max_seconds=SAMPLE_SECONDS) as http:
            now = platform.clock()
            line, headless = payload["line"], payload.get("headless")
            sample = read_source_sample(source, options, http, now, line=line, headless=headless)
    except SecretsUnreadable as error:
        sample = {"state": FAILED, "error": error.text()}
    with platform.database.writing() as session:
        session.get_one(HarvestSource, source.id).sample = sample


def client(
    platform: Platform, *, max_seconds: float = 300.0, max_bytes: int = 50_000_000
) -> requests.Session:
    """Return the guarded session for addresses that sources name."""
    return guarded_session(
        allowed_hosts=frozenset(platform.settings.fetch_allowed_hosts),
        user_agent=USER_AGENT,
        max_seconds=max_seconds,
        max_bytes=max_bytes,
    )


def check_files(platform: Platform) -> None:
    """Try links that are due, for a while; the rest comes next time."""
    with platform.database.writing() as session:
        plan_missing(session, platform.clock)
    with platform.database.reading() as session:
        due = list_due(session, platform.clock)
    most = platform.settings.max_upload_bytes
    checking = FileChecking(
        platform.database,
        platform.storage,
        platform.clock,
        partial(client, platform, max_seconds=FILE_SECONDS, max_bytes=most + 1),
        most,
    )
    until = time.monotonic() + SLICE_SECONDS
    for one in due:
        checking.try_one(one)
        if time.monotonic() >= until:
            break


def execution(
    platform: Platform, run_id: int, lease: RunLease, progress: Progress = no_progress
) -> HarvestExecution:
    """Return the execution of a run with the platform's database, clock and guarded client."""
    secrets = SourceSecrets(platform.settings.secret_key)
    return HarvestExecution(
        platform.database, platform.clock, reader(platform).read, secrets, lease, run_id, progress
    )


def reader(platform: Platform) -> SourceReader:
    """Return what reads sources, each in a process of its own."""
    return SourceReader(frozenset(platform.settings.fetch_allowed_hosts))


def run_in_foreground(platform: Platform, run_id: int, lease: RunLease, progress: Progress) -> None:
    """Bring a run to its end in this process, under the same lease as a worker would.

    Raises:
        LeaseLost: another process has taken the run.
    """
    try:
        with _kept(platform, lease):
            execution(platform, run_id, lease, progress).go()
    except LeaseLost:
        raise
    except BaseException as error:
        with platform.database.writing() as session:
            text = str(error) or type(error).__name__
            queue.fail(session, platform.clock, lease.job_id, lease.lease_id, text)
        raise
    with platform.database.writing() as session:
        queue.finish(session, platform.clock, lease.job_id, lease.lease_id)


@contextmanager
def _kept(platform: Platform, lease: RunLease) -> Iterator[None]:
    """Renew the lease from another thread while the source lets us wait."""
    done = threading.Event()

    def keep() -> None:
        while not done.wait(RENEW_SECONDS):
            with platform.database.writing() as session:
                if not queue.renew(session, platform.clock, lease.job_id, lease.lease_id):
                    return

    keeper = threading.Thread(target=keep, name="lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()
