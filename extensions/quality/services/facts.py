"""What the checks ask, read for many entries at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from extensions.quality.models.scan import TableScan
from extensions.quality.rules import EntryState, FileFacts
from extensions.quality.similar import title_stem
from portal.clock import local_date
from portal.models.distribution import FILE, DataVersion, Distribution
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.freshness import Freshness
from portal.rules.calendar import due_after, working_days_between
from portal.services.content import content_of
from portal.services.deadlines import work_calendar
from portal.services.entry_facts import EntryFacts, gather_facts
from portal.services.freshness_flow import grace_days_of
from portal.services.open_columns import released_table

SHORTEST_STEM = 4
Stems = dict[str, list[tuple[int, str]]]
EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def state_of(session: Session, now: datetime, entry: CatalogueEntry) -> EntryState | None:
    """Return what the checks ask about one entry; None when it has no version to show."""
    return gather_states(session, now, [entry]).get(entry.id)


class KnownTitles:
    """The titles of providers by their stems, read once for many batches of a run."""

    def __init__(self) -> None:
        self._known: dict[int, Stems] = {}

    def of(self, session: Session, providers: Iterable[int]) -> Mapping[int, Stems]:
        """Return provider -> stem of a title -> (entry id, title) of its public entries."""
        missing = set(providers) - self._known.keys()
        if missing:
            self._known.update(_titles(session, missing))
        return self._known


def gather_states(
    session: Session,
    now: datetime,
    entries: Sequence[CatalogueEntry],
    known: KnownTitles | None = None,
) -> dict[int, EntryState]:
    """Return entry id -> its state. Tables are those that may leave: reports are public."""
    facts = gather_facts(session, entries, counts_downloads=False, with_extras=False)
    scans = _scans(session, facts)
    twins = _twins(session, facts, scans)
    titles = (known or KnownTitles()).of(session, {entry.provider_id for entry in entries})
    return {
        entry.id: EntryState(
            content=content_of(version),
            files=tuple(_file(d, scans) for d in fact.distributions if d.kind == FILE),
            has_data=bool(fact.distributions),
            is_open=fact.place is not None and fact.place.state == "open",
            overdue_working_days=_overdue(session, now, version, fact.freshness),
            twins=tuple(sorted(twins[entry.id])),
            fragments=_fragments(titles[entry.provider_id], entry.id, version.title),
        )
        for entry in entries
        if (fact := facts[entry.id]) and (version := fact.version) is not None
    }


def _scans(session: Session, facts: dict[int, EntryFacts]) -> dict[int, TableScan]:
    ids = [
        d.current_version_id
        for fact in facts.values()
        for d in fact.distributions
        if d.current_version_id is not None
    ]
    if not ids:
        return {}
    query = select(TableScan).where(TableScan.data_version_id.in_(ids))
    rows = session.scalars(query.options(lazyload(TableScan.data_version)))
    return {scan.data_version_id: scan for scan in rows}


def _file(distribution: Distribution, scans: dict[int, TableScan]) -> FileFacts:
    data = distribution.current_version
    scan = scans.get(data.id) if data else None
    return FileFacts(
        name=distribution.name,
        format=distribution.format,
        size_bytes=data.size_bytes if data else 0,
        sha256=data.sha256 if data else "",
        table_state=data.table_state if data else "none",
        table_error=data.table_error if data else "",
        table=released_table(data),
        duplicate_rows=scan.duplicate_rows if scan else 0,
    )


def _twins(
    session: Session, facts: dict[int, EntryFacts], scans: dict[int, TableScan]
) -> dict[int, set[str]]:
    """Return entry id -> titles of other public entries whose newest data is the same."""
    hashes: dict[str, set[int]] = defaultdict(set)
    contents: dict[str, set[int]] = defaultdict(set)
    for entry_id, fact in facts.items():
        for data in (d.current_version for d in fact.distributions):
            if data is not None and data.size_bytes and data.sha256 != EMPTY_SHA256:
                hashes[data.sha256].add(entry_id)
                scan = scans.get(data.id)
                if scan is not None and scan.content_hash and scan.row_count:
                    contents[scan.content_hash].add(entry_id)
    twins: dict[int, set[str]] = defaultdict(set)
    for column, wanted in ((DataVersion.sha256, hashes), (TableScan.content_hash, contents)):
        if not wanted:
            continue
        found = (
            select(column, Distribution.entry_id, EntryVersion.title)
            .select_from(Distribution)
            .join(DataVersion, DataVersion.id == Distribution.current_version_id)
            .outerjoin(TableScan, TableScan.data_version_id == DataVersion.id)
            .join(CatalogueEntry, CatalogueEntry.id == Distribution.entry_id)
            .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
            .where(
                column.in_(wanted),
                Distribution.deleted_at.is_(None),
                CatalogueEntry.retired_at.is_(None),
            )
        )
        for value, entry_id, title in session.execute(found):
            for mine in wanted[value] - {entry_id}:
                twins[mine].add(title)
    return twins


def _titles(session: Session, providers: set[int]) -> dict[int, Stems]:
    titles: dict[int, Stems] = {provider: defaultdict(list) for provider in providers}
    rows = session.execute(
        select(CatalogueEntry.provider_id, CatalogueEntry.id, EntryVersion.title)
        .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .where(CatalogueEntry.provider_id.in_(providers), CatalogueEntry.retired_at.is_(None))
        .order_by(CatalogueEntry.id)
    )
    for provider, entry_id, title in rows:
        titles[provider][title_stem(title)].append((entry_id, title))
    return titles


def _fragments(titles: Stems, entry_id: int, title: str) -> tuple[str, ...]:
    stem = title_stem(title)
    if len(stem) < SHORTEST_STEM:
        return ()
    others = (other for other_id, other in titles.get(stem, ()) if other_id != entry_id)
    return tuple(other for other in others if other != title)


def _overdue(
    session: Session, now: datetime, version: EntryVersion, freshness: Freshness | None
) -> int:
    """Return the working days since the last day of grace; 0 while there is time."""
    if freshness is None or freshness.state != "overdue" or freshness.due_at is None:
        return 0
    calendar = work_calendar(session)
    last = local_date(freshness.due_at)
    grace = grace_days_of(version.update_frequency)
    if grace:
        last = due_after(last, grace, calendar).date
    return max(0, working_days_between(last, local_date(now), calendar))
