"""What time does: checks of what changed, the nightly round, escalations, re-checks of mended issues."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.quality.models.issue import QualityIssue, find_live_issue
from extensions.quality.models.report import QualityReport
from extensions.quality.models.scan import TableScan
from extensions.quality.rules import CHECKS, MANUAL
from extensions.quality.scan.look import look_at_table
from extensions.quality.services.facts import KnownTitles
from extensions.quality.services.issues import IssueService
from extensions.quality.services.reports import check_entries, list_unchecked
from extensions.quality.services.sensitive import keep_scan
from portal.actor import SYSTEM
from portal.clock import Clock, local_date
from portal.errors import Conflict, GuardRefused, IllegalEvent
from portal.jobs.queue import enqueue
from portal.models.distribution import DataVersion, Distribution
from portal.models.entry import CatalogueEntry
from portal.models.freshness import Freshness
from portal.models.open_list import OpenListEntry
from portal.services.freshness import FreshnessService
from portal.services.index_requests import request_index
from portal.tables.info import TableInfo

if TYPE_CHECKING:
    from portal.platform import Platform

BATCH, MOST = 100, 5_000
RUN_SECONDS = 20.0
CHECK_JOB, PENDING_JOB = "quality_check", "quality_pending"


def ask_for_check(session: Session, clock: Clock, entry_id: int) -> None:
    enqueue(session, clock, CHECK_JOB, {"entry_id": entry_id}, key=f"{CHECK_JOB}:{entry_id}")


def check_one(platform: Platform, payload: dict[str, Any]) -> None:
    with platform.database.writing() as session:
        entry = session.get(CatalogueEntry, payload["entry_id"])
        if entry is not None:
            check_entries(session, platform.clock, [entry])


def check_pending(platform: Platform, _payload: dict[str, Any]) -> None:
    """Check what changed since its last check, for some seconds; the next run goes on."""
    ends = time.monotonic() + RUN_SECONDS
    known = KnownTitles()
    with platform.database.reading() as session:
        ids = list_unchecked(session, MOST)
    for start in range(0, len(ids), BATCH):
        if time.monotonic() >= ends:
            return
        _check_batch(platform, ids[start : start + BATCH], known)


def _check_batch(platform: Platform, ids: Sequence[int], known: KnownTitles) -> None:
    chosen = CatalogueEntry.id.in_(ids)
    with platform.database.reading() as session:  # of a large catalogue: no writer waits for it
        known.of(session, session.scalars(select(CatalogueEntry.provider_id).where(chosen)))
    with platform.database.writing() as session:
        entries = session.scalars(select(CatalogueEntry).where(chosen)).all()
        check_entries(session, platform.clock, entries, known)


def check_all(platform: Platform, _payload: dict[str, Any]) -> None:
    """Every night: look at tables that were never looked at, check every entry, open issues."""
    scan_backlog(platform)
    with platform.database.reading() as session:
        ids = list(
            session.scalars(
                select(CatalogueEntry.id).where(
                    CatalogueEntry.published_version_id.is_not(None),
                    CatalogueEntry.retired_at.is_(None),
                )
            )
        )
    known = KnownTitles()
    for start in range(0, len(ids), BATCH):
        _check_batch(platform, ids[start : start + BATCH], known)
    open_issues(platform)


def scan_backlog(platform: Platform) -> None:
    """Look at tables that were parsed before there was a scan; what is found is held from now on.

    Earlier versions of files that are still there are looked at too: they have addresses of their own.
    """
    with platform.database.reading() as session:
        ids = session.scalars(
            select(DataVersion.id)
            .join(Distribution, Distribution.id == DataVersion.distribution_id)
            .outerjoin(TableScan, TableScan.data_version_id == DataVersion.id)
            .where(
                DataVersion.table_state == "ready",
                TableScan.id.is_(None),
                Distribution.deleted_at.is_(None),
            )
            .order_by(DataVersion.id.desc())
        ).all()
    for version_id in ids:
        with platform.database.reading() as session:
            version = session.get(DataVersion, version_id)
        if version is None or not version.table:
            continue
        info = TableInfo.from_dict(version.table)
        parquet = Path(platform.storage.local_path(info.parquet_sha256))
        looked = look_at_table(info, parquet, Path(platform.storage.local_path(version.sha256)))
        with platform.database.writing() as session:
            version = session.get(DataVersion, version_id)
            if version is not None:
                version.hold = keep_scan(session, platform.clock, version, looked)
                entry = version.distribution.entry
                is_current = version.distribution.current_version_id == version.id
                tightens = is_current and bool(version.hold)
                request_index(session, platform.clock, entry, tightens=tightens)


def open_issues(platform: Platform) -> None:
    """Open an issue for each grave fault of data that is open now, unless one is live."""
    codes = {code for code, check in CHECKS.items() if check.opens_issue}
    with platform.database.reading() as session:
        rows = session.execute(
            select(QualityReport.entry_id, QualityReport.findings)
            .join(OpenListEntry, OpenListEntry.entry_id == QualityReport.entry_id)
            .where(OpenListEntry.state == "open", QualityReport.score < 100)
        ).all()
    for entry_id, findings in rows:
        grave = [fault for fault in findings if fault["check"] in codes]
        if not grave:
            continue
        with platform.database.writing() as session:
            entry = session.get(CatalogueEntry, entry_id)
            if entry is None:
                continue
            for fault in grave:
                if find_live_issue(session, entry_id, fault["check"]) is None:
                    service = IssueService(session, platform.clock)
                    service.open(SYSTEM, entry, fault["check"], fault["text"])


def run_timers(platform: Platform, _payload: dict[str, Any]) -> None:
    """Every hour: escalate what is late, close what its check finds mended."""
    with platform.database.reading() as session:
        late = session.scalars(
            select(QualityIssue.id).where(
                QualityIssue.state == "ordered", QualityIssue.due_on < local_date(platform.clock())
            )
        ).all()
        mended = session.scalars(
            select(QualityIssue.id).where(
                QualityIssue.state == "fixed", QualityIssue.check_code != MANUAL
            )
        ).all()
        overdue = session.scalars(select(Freshness.id).where(Freshness.state == "overdue")).all()
    for issue_id in late:
        _on_issue(platform, issue_id, lambda service, issue: service.escalate(issue))
    for issue_id in mended:
        _on_issue(platform, issue_id, lambda service, issue: service.verify(SYSTEM, issue))
    for freshness_id in overdue:
        with platform.database.writing() as session:
            escalate_freshness(session, platform.clock, freshness_id)


def _on_issue(
    platform: Platform, issue_id: int, act: Callable[[IssueService, QualityIssue], None]
) -> None:
    """Act on one issue in its own transaction; who acted first, or a check that still fails, wins."""
    try:
        with platform.database.writing() as session:
            issue = session.get(QualityIssue, issue_id)
            if issue is not None:
                act(IssueService(session, platform.clock), issue)
    except (GuardRefused, IllegalEvent, Conflict):
        return


def escalate_freshness(session: Session, clock: Clock, freshness_id: int) -> None:
    """Escalate an update that is overdue for ten working days: it becomes a quality issue."""
    freshness = session.get(Freshness, freshness_id)
    if freshness is None or not FreshnessService(session, clock).escalate(freshness):
        return
    entry = freshness.entry
    if entry.is_public and find_live_issue(session, entry.id, "overdue") is None:
        day = local_date(freshness.overdue_at or clock())
        evidence = f"按更新周期应已更新，{day.isoformat()}起逾期，已满10个工作日。"
        IssueService(session, clock).open(SYSTEM, entry, "overdue", evidence)
