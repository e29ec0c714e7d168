"""Check entries, keep their reports, and keep the package documents with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from extensions.quality.models.report import QualityReport
from extensions.quality.rules import (
    METHOD_VERSION,
    EntryState,
    as_dicts,
    check_name,
    find_faults,
    score_of,
)
from extensions.quality.services.facts import KnownTitles, gather_states
from portal.clock import Clock
from portal.models.entry import CatalogueEntry
from portal.models.index_request import EntryDocument
from portal.services.entry_facts import gather_facts
from portal.services.package_document import render_package


def list_unchecked(session: Session, limit: int) -> list[int]:
    """Return public entries that changed since their last check, those never checked first."""
    stale = or_(
        QualityReport.entry_id.is_(None),
        QualityReport.index_version < CatalogueEntry.index_version,
        QualityReport.method_version < METHOD_VERSION,
    )
    return list(
        session.scalars(
            select(CatalogueEntry.id)
            .outerjoin(QualityReport, QualityReport.entry_id == CatalogueEntry.id)
            .where(
                CatalogueEntry.published_version_id.is_not(None),
                CatalogueEntry.retired_at.is_(None),
                stale,
            )
            .order_by(QualityReport.checked_at.is_not(None), QualityReport.checked_at)
            .limit(limit)
        )
    )


def check_entries(
    session: Session,
    clock: Clock,
    entries: Sequence[CatalogueEntry],
    known: KnownTitles | None = None,
) -> dict[int, EntryState]:
    """Check the entries now and keep what was found; return what was looked at.

    `known`: the titles that a run of many batches has read already.
    """
    now = clock()
    states = gather_states(session, now, entries, known)
    ids = list(states)
    reports = {
        report.entry_id: report
        for report in session.scalars(select(QualityReport).where(QualityReport.entry_id.in_(ids)))
    }
    documents = {
        kept.entry_id: kept
        for kept in session.scalars(select(EntryDocument).where(EntryDocument.entry_id.in_(ids)))
    }
    outdated = [
        entry
        for entry in entries
        if entry.id in states
        and _keep(
            session, now, entry, states[entry.id], reports.get(entry.id), documents.get(entry.id)
        )
    ]
    session.flush()
    facts = gather_facts(session, outdated)
    for entry in outdated:
        documents[entry.id].package = render_package(session, entry, facts=facts[entry.id])
    return states


def _keep(
    session: Session,
    now: datetime,
    entry: CatalogueEntry,
    state: EntryState,
    report: QualityReport | None,
    document: EntryDocument | None,
) -> bool:
    """Keep what was found; return whether the entry's kept document now says something else."""
    faults = find_faults(state)
    score, findings = score_of(faults), as_dicts(faults)
    changed = report is None or report.score != score or report.findings != findings
    if report is None:
        report = QualityReport(entry_id=entry.id)
        session.add(report)
    report.score, report.findings, report.method_version = score, findings, METHOD_VERSION
    report.checked_at = now
    is_indexed = document is not None and document.version == entry.index_version
    # While the indexer is behind, its document may miss this report: look again when it is not.
    report.index_version = entry.index_version if is_indexed else entry.index_version - 1
    return is_indexed and changed


def quality_of(
    session: Session, entries: Sequence[CatalogueEntry]
) -> Mapping[int, Mapping[str, Any]]:
    """Return `jl_quality` of the packages of those entries that were checked."""
    ids = [entry.id for entry in entries]
    reports = session.scalars(select(QualityReport).where(QualityReport.entry_id.in_(ids)))
    return {report.entry_id: {"jl_quality": _published(report)} for report in reports}


def _published(report: QualityReport) -> Mapping[str, Any]:
    return {
        "score": report.score,
        "method": f"v{report.method_version}",
        "checked_at": report.checked_at.isoformat(timespec="seconds"),
        "faults": [
            {
                "check": fault["check"],
                "name": check_name(fault["check"]),
                "points": fault["points"],
                "text": fault["text"],
            }
            for fault in report.findings
        ],
    }
