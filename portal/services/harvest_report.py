"""What runs found and did, for the command line and for pages. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from harvesters.record import FaultyRecord
from portal.models.entry import CatalogueEntry
from portal.models.harvest import HarvestItem, HarvestRun, HarvestSource
from portal.services.catalogue_flow import REMOVAL_BRAKE
from portal.services.harvest_check import CONFLICT
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


WORST_FIRST = (
    FAULTY, CONFLICT, MISSING, ABSENT, "gone", "confirmed", "updated", "created", "back",
    "unchanged", "gathered",
)  # fmt: skip
"""States in the order in which a clerk wants to hear of them."""
_CSV_BATCH = 1000


def report_lines(
    session: Session,
    run_id: int,
    *,
    states: frozenset[str] = frozenset(),
    offset: int = 0,
    limit: int | None = None,
    worst_first: bool = False,
) -> Iterator[ReportLine]:
    """Yield what happened to each record of a run, in the order of the source.

    Args:
        states: only items in these states; empty: all.
        worst_first: what asks for a hand comes before what does not.
    """
    rank = case({state: n for n, state in enumerate(WORST_FIRST)}, value=HarvestItem.state)
    order = [rank, HarvestItem.id] if worst_first else [HarvestItem.id]
    # The index alone says which items are meant: only those on the page are read.
    meant = select(HarvestItem.id).where(HarvestItem.run_id == run_id)
    if states:
        meant = meant.where(HarvestItem.state.in_(states))
    meant = meant.order_by(*order).offset(offset).limit(limit)
    query = _with_slug().where(HarvestItem.id.in_(meant)).order_by(*order)
    for item, slug in session.execute(query):
        yield _line(item, slug)


def all_report_lines(
    session: Session, run_id: int, *, states: frozenset[str] = frozenset()
) -> Iterator[ReportLine]:
    """Yield the same as `report_lines`, the worst first, with few of them in memory at a time."""
    for state in WORST_FIRST:
        if states and state not in states:
            continue
        last = 0
        while True:
            query = _with_slug().where(
                HarvestItem.run_id == run_id, HarvestItem.state == state, HarvestItem.id > last
            )
            found = session.execute(query.order_by(HarvestItem.id).limit(_CSV_BATCH)).all()
            for item, slug in found:
                yield _line(item, slug)
            if len(found) < _CSV_BATCH:
                break
            last = found[-1][0].id
            session.expunge_all()


def _with_slug() -> Select[HarvestItem, str]:
    return select(HarvestItem, CatalogueEntry.slug).outerjoin(
        CatalogueEntry, CatalogueEntry.id == HarvestItem.entry_id
    )


def _line(item: HarvestItem, slug: str | None) -> ReportLine:
    record = item.record
    title = record.get("title") or record.get("content", {}).get("title", "")
    remote_id = item.remote_id
    if item.state == FAULTY:  # found while reading: its row has a made-up id
        remote_id = record.get("remote_id", remote_id)
    changes = tuple(FieldChange(**change) for change in item.changes or ())
    return ReportLine(item.state, remote_id, item.place, title, item.reason, slug or "", changes)


def common_faults(session: Session, run_id: int, *, limit: int = 5) -> list[tuple[str, int]]:
    """Return the reasons that several faulty records share, the most frequent first."""
    number = func.count(HarvestItem.id)
    query = (
        select(HarvestItem.reason, number)
        .where(HarvestItem.run_id == run_id, HarvestItem.state == FAULTY)
        .group_by(HarvestItem.reason)
        .having(number > 1)
        .order_by(number.desc(), HarvestItem.reason)
        .limit(limit)
    )
    return [(reason, count) for reason, count in session.execute(query)]


@dataclass(frozen=True)
class OwnershipConflict:
    """A record that `source` offers and that is kept here under somebody else's care."""

    source: HarvestSource
    run_id: int
    place: str
    title: str
    reason: str
    entry: CatalogueEntry


def list_conflicts(
    session: Session, organisation_ids: frozenset[int] | None, *, limit: int = 200
) -> list[OwnershipConflict]:
    """Return the conflicts of each source's newest complete run that concern these organisations.

    Args:
        organisation_ids: of either side: whose source it is, or whose entry; None: all.
    """
    newest = (
        select(func.max(HarvestRun.id))
        .where(HarvestRun.trial.is_(False), HarvestRun.state.in_(("done", "waiting")))
        .group_by(HarvestRun.source_id)
    )
    query = (
        select(HarvestItem, CatalogueEntry, HarvestRun)
        .join(HarvestRun, HarvestRun.id == HarvestItem.run_id)
        .join(HarvestSource, HarvestSource.id == HarvestRun.source_id)
        .join(CatalogueEntry, CatalogueEntry.id == HarvestItem.entry_id)
        .where(
            HarvestRun.id.in_(newest),
            HarvestSource.removed_at.is_(None),
            HarvestItem.state == CONFLICT,
            CatalogueEntry.source_id.is_distinct_from(HarvestRun.source_id),
        )
        .order_by(HarvestItem.id)
        .limit(limit)
    )
    if organisation_ids is not None:
        query = query.where(
            HarvestSource.organisation_id.in_(organisation_ids)
            | CatalogueEntry.provider_id.in_(organisation_ids)
        )
    return [
        OwnershipConflict(
            run.source, run.id, item.place, item.record.get("title", ""), item.reason, entry
        )
        for item, entry, run in session.execute(query)
    ]


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


ADVICE = {
    FAULTY: "请把位置和原因转告来源单位，由其改正后重新采集；其余记录不受影响，原有目录也没有撤下。",
    "conflict": "同一条数据已有另一方维护。请与对方商定由谁维护，再由另一方在自己的来源中删除；正在办理的目录，办完后会自动更新。",
    MISSING: "来源中已没有这些记录。先向来源单位核实：确已停用的，确认撤下；是来源出错的，等它恢复后重新采集。",
    ABSENT: "来源中已没有这些记录，平台没有撤下。请核实后由本单位决定。",
    "gone": "来源中已没有这些记录，目录已撤下。来源恢复后，下次采集会自动恢复。",
}
"""What a clerk can do about the records in a state."""

CHANGES = frozenset({"created", "updated", "gone", "back", "faulty", "conflict", MISSING, ABSENT})
"""States that a person may want to look at."""
