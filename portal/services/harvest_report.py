"""What runs found and did, for the command line and for pages. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from harvesters.record import FaultyRecord
from portal.models.entry import CatalogueEntry
from portal.models.harvest import HarvestItem, HarvestRun, HarvestSource
from portal.services.catalogue_flow import REMOVAL_BRAKE
from portal.services.harvest_foresight import FieldChange, foresee
from portal.services.harvest_gathering import (
    ABSENT,
    FAULTY,
    MISSING,
    SourceReading,
    live_entries,
    read_source,
)
from portal.services.harvest_record import SourceRecord

RUN_STATE_NAMES = {
    "gathering": "正在读取",
    "writing": "正在写入",
    "waiting": "待确认撤下",
    "done": "已完成",
    "failed": "失败",
    "superseded": "已被后来的采集取代",
}


@dataclass(frozen=True)
class SourceSummary:
    """A source with its last run and the number of its entries that the public sees."""

    source: HarvestSource
    last_run: HarvestRun | None
    live_entries: int


@dataclass(frozen=True)
class ReportLine:
    """What happened (or would happen) to one record. `slug` names its entry, if it has one."""

    state: str
    remote_id: str
    place: str
    title: str
    reason: str
    slug: str = ""
    changes: tuple[FieldChange, ...] = ()


def list_sources(session: Session) -> list[SourceSummary]:
    """Return every source by name."""
    real = select(func.max(HarvestRun.id)).where(HarvestRun.trial.is_(False))
    newest = real.group_by(HarvestRun.source_id)
    runs = {
        run.source_id: run
        for run in session.scalars(select(HarvestRun).where(HarvestRun.id.in_(newest)))
    }
    return [
        SourceSummary(source, runs.get(source.id), _count_live(session, source.id))
        for source in session.scalars(
            select(HarvestSource)
            .where(HarvestSource.removed_at.is_(None))
            .order_by(HarvestSource.name)
        )
    ]


def list_runs(session: Session, source_id: int, *, limit: int = 20) -> list[HarvestRun]:
    """Return the newest runs of a source, the newest first."""
    query = select(HarvestRun).where(HarvestRun.source_id == source_id)
    return list(session.scalars(query.order_by(HarvestRun.id.desc()).limit(limit)))


def report_lines(
    session: Session,
    run_id: int,
    *,
    states: frozenset[str] = frozenset(),
    after_id: int = 0,
    limit: int | None = None,
) -> Iterator[ReportLine]:
    """Yield what happened to each record of a run, in the order of the source.

    Args:
        states: only items in these states; empty: all.
    """
    query = (
        select(HarvestItem, CatalogueEntry.slug)
        .outerjoin(CatalogueEntry, CatalogueEntry.id == HarvestItem.entry_id)
        .where(HarvestItem.run_id == run_id, HarvestItem.id > after_id)
        .order_by(HarvestItem.id)
        .limit(limit)
    )
    if states:
        query = query.where(HarvestItem.state.in_(states))
    for item, slug in session.execute(query):
        record = item.record
        title = record.get("title") or record.get("content", {}).get("title", "")
        remote_id = record["remote_id"] if item.state == FAULTY else item.remote_id
        changes = tuple(FieldChange(**change) for change in item.changes or ())
        yield ReportLine(item.state, remote_id, item.place, title, item.reason, slug or "", changes)


def preview(session: Session, reading: SourceReading) -> Iterator[ReportLine]:
    """Yield what a run would do to each record. Writes nothing.

    Raises:
        SourceFailed: no complete answer.
    """
    source = reading.source
    came: set[str] = set()
    for record in read_source(reading):
        came.add(record.remote_id)
        if isinstance(record, FaultyRecord):
            yield ReportLine(FAULTY, record.remote_id, record.place, "", record.reason)
        else:
            yield _judged(session, source, record)
    if not source.options.get("modified_since"):
        yield from _missing(session, source, came)


def _judged(session: Session, source: HarvestSource, record: SourceRecord) -> ReportLine:
    one = foresee(session, source, [record])[0]
    title = record.content.title
    return ReportLine(
        one.state, record.remote_id, record.place, title, one.reason, changes=one.changes
    )


def _missing(session: Session, source: HarvestSource, came: set[str]) -> Iterator[ReportLine]:
    entries = session.scalars(select(CatalogueEntry).where(live_entries(source.id))).all()
    gone = [entry for entry in entries if entry.remote_id not in came]
    state = MISSING if len(gone) > REMOVAL_BRAKE * len(entries) else "gone"
    for entry in gone:
        title = entry.published_version.title if entry.published_version else ""
        yield ReportLine(state, str(entry.remote_id), "", title, "", entry.slug)


def _count_live(session: Session, source_id: int) -> int:
    return session.scalar(select(func.count(CatalogueEntry.id)).where(live_entries(source_id))) or 0


CHANGES = frozenset({"created", "updated", "gone", "back", "faulty", "conflict", MISSING, ABSENT})
"""States that a person may want to look at."""
