"""The core's own kinds of job. Each handler opens its own transactions and may run twice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import delete, select

from portal.clock import local_date
from portal.errors import PortalError
from portal.jobs.messages import send_left_over, send_message
from portal.jobs.people import (
    alert_deadlines,
    mail_digests,
    mail_registration_link,
    mail_reset_link,
    text_registration_code,
)
from portal.jobs.registry import JobKind
from portal.models.account import LoginSession
from portal.models.counter import RateWindow
from portal.models.freshness import Freshness
from portal.models.job import Job
from portal.services import audit, index_check, scheduled_release, upload_finishing
from portal.services.audit_anchor import FileAnchor
from portal.services.distributions import PARSE_TABLE
from portal.services.freshness import FreshnessService
from portal.services.login_steps import forget_steps
from portal.services.mailed_links import forget_links
from portal.services.outgoing import SEND as SEND_MESSAGE
from portal.services.outgoing import forget_messages
from portal.services.phone_registration import TEXT_CODE
from portal.services.registration import MAIL_REGISTRATION, MAIL_RESET
from portal.services.responsibility import align_all
from portal.services.search_counts import forget_searches
from portal.services.uploads import FINISH_UPLOAD
from portal.services.value_recompute import recompute_all

if TYPE_CHECKING:
    from portal.platform import Platform

log = structlog.get_logger(__name__)
BATCH = 200
KEEP_DONE_DAYS = 7
WARM_ROWS = 20_000


def parse_table(platform: Platform, payload: dict[str, Any]) -> None:
    # Imported here: web processes know the job and never run it, and need not hold its libraries.
    from portal.services.table_parsing import parse_data_version

    info = parse_data_version(
        platform.database, platform.storage, platform.clock, payload["data_version_id"]
    )
    if info is not None and info.row_count > WARM_ROWS:
        platform.tables.warm(info)  # on this machine, so that the first question does not wait


def seal_audit(platform: Platform, _payload: dict[str, Any]) -> None:
    anchor = FileAnchor(platform.settings.home / "audit-head.json")
    with platform.database.writing() as session:
        audit.seal_pending(session, platform.clock, anchor)


def watch_freshness(platform: Platform, _payload: dict[str, Any]) -> None:
    """Fire every freshness timer whose time has come, a batch a transaction."""
    with platform.database.reading() as session:
        ids = list(
            session.scalars(select(Freshness.id).where(Freshness.state.in_(("current", "due"))))
        )
    for start in range(0, len(ids), BATCH):
        with platform.database.writing() as session:
            service = FreshnessService(session, platform.clock)
            batch = Freshness.id.in_(ids[start : start + BATCH])
            for freshness in session.scalars(select(Freshness).where(batch)):
                service.tick(freshness)


def align_departments(platform: Platform, _payload: dict[str, Any]) -> None:
    """Hand over the systems whose new department begins today (art. 14)."""
    with platform.database.writing() as session:
        align_all(session, platform.clock)


def recompute_values(platform: Platform, _payload: dict[str, Any]) -> None:
    """Compute every published entry's value score anew from the recorded facts."""
    recompute_all(platform.database, platform.clock)


def check_index(platform: Platform, _payload: dict[str, Any]) -> None:
    """Compare the index with the database every night, and repair what differs."""
    difference = index_check.check(platform.database, platform.engine)
    if difference.ids:
        index_check.repair(platform.database, platform.engine, platform.clock, difference)


def sweep(platform: Platform, _payload: dict[str, Any]) -> None:
    """Forget finished jobs, ended sessions, past rate windows and who searched yesterday."""
    now = platform.clock()
    with platform.database.writing() as session:
        done = (Job.state == "done") & (Job.finished_at < now - timedelta(days=KEEP_DONE_DAYS))
        session.execute(delete(Job).where(done))
        session.execute(delete(LoginSession).where(LoginSession.expires_at < now))
        session.execute(delete(RateWindow).where(RateWindow.window_start < now - timedelta(days=2)))
        forget_searches(session, local_date(now))
        forget_messages(session, now)
        forget_links(session, now)
        forget_steps(session, now)


def finish_upload(platform: Platform, payload: dict[str, Any]) -> None:
    """Bring an upload in parts that is whole onto its entry."""
    upload_finishing.finish_upload(
        platform.database, platform.storage, platform.clock, int(payload["upload_id"])
    )


def sweep_uploads(platform: Platform, _payload: dict[str, Any]) -> None:
    """Forget uploads that expired, and what they left in storage."""
    upload_finishing.sweep_uploads(platform.database, platform.storage, platform.clock)


def harvest_run(platform: Platform, payload: dict[str, Any]) -> None:
    from portal.jobs.harvests import run_harvest

    run_harvest(platform, payload)


def harvest_sample(platform: Platform, payload: dict[str, Any]) -> None:
    from portal.jobs.harvests import read_sample

    read_sample(platform, payload)


def check_files(platform: Platform, _payload: dict[str, Any]) -> None:
    from portal.jobs.harvests import check_files as check

    check(platform)


def start_due_harvests(platform: Platform, _payload: dict[str, Any]) -> None:
    from portal.jobs.harvests import start_due

    start_due(platform)


def release_versions(platform: Platform, _payload: dict[str, Any]) -> None:
    """Put out every reviewed version whose day has come, each in a transaction of its own."""
    with platform.database.reading() as session:
        due = scheduled_release.list_due(session, platform.clock)
    for version_id in due:
        try:
            with platform.database.writing() as session:
                scheduled_release.release(session, platform.clock, version_id)
        except PortalError as error:  # it holds up none of the others, and is tried again
            log.warning("a version was not released", version=version_id, error=error.text())


def check_list(platform: Platform, payload: dict[str, Any]) -> None:
    """Look through an uploaded list of entries, so that its sender sees what it would change."""
    from portal.services.list_checking import run_check

    run_check(platform.database, platform.storage, platform.clock, int(payload["check_id"]))


CORE_JOBS = (
    JobKind(PARSE_TABLE, parse_table),
    JobKind("seal_audit", seal_audit, cron="* * * * *"),
    JobKind("watch_freshness", watch_freshness, cron="20 0 * * *"),
    JobKind("check_list", check_list),
    JobKind("release_versions", release_versions, cron="* * * * *"),
    JobKind("align_departments", align_departments, cron="5 0 * * *"),
    JobKind("recompute_values", recompute_values, cron="40 1 * * *"),
    JobKind("check_index", check_index, cron="30 2 * * *"),
    JobKind("sweep", sweep, cron="10 3 * * *"),
    JobKind(FINISH_UPLOAD, finish_upload),
    JobKind("sweep_uploads", sweep_uploads, cron="45 * * * *"),
    JobKind("harvest_run", harvest_run),
    JobKind("harvest_sample", harvest_sample),
    JobKind("check_files", check_files, cron="5-59/10 * * * *"),
    JobKind("start_due_harvests", start_due_harvests, cron="* * * * *"),
    JobKind(SEND_MESSAGE, send_message),
    JobKind(MAIL_REGISTRATION, mail_registration_link),
    JobKind(TEXT_CODE, text_registration_code),
    JobKind(MAIL_RESET, mail_reset_link),
    JobKind("mail_digests", mail_digests, cron="0 8 * * *"),
    JobKind("alert_deadlines", alert_deadlines, cron="50 7 * * *"),
    JobKind("send_left_over", send_left_over, cron="*/5 * * * *"),
)
