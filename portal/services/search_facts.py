"""What the search document of an entry is made of, read for hundreds of entries in few, lean queries.

A rebuild reads the whole catalogue: rows of the columns that search needs, no objects that nobody
changes, and a version's content as the text it is kept as.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, defer, lazyload, load_only
from sqlalchemy.orm.attributes import set_committed_value

from portal.models.distribution import DataVersion, Distribution, Download
from portal.models.entry import UNFINISHED, CatalogueEntry, EntryVersion
from portal.models.freshness import Freshness
from portal.models.open_list import ENDED, OpenListEntry
from portal.models.organisation import Organisation
from portal.rules.entry_content import EntryContent
from portal.services.content import parsed_content


@dataclass(frozen=True, slots=True)
class State:
    state: str


@dataclass(frozen=True, slots=True)
class KnownVersion:
    state: str
    content_hash: str
    raw_content: str


@dataclass(frozen=True, slots=True)
class KnownDistribution:
    format: str
    current_version: DataVersion | None


@dataclass(frozen=True, slots=True)
class SearchFacts:
    """As `portal.services.entry_facts.EntryFacts`, with what search needs and nothing else."""

    version: KnownVersion | None
    distributions: Sequence[KnownDistribution]
    place: State | None
    freshness: State | None
    downloads: int

    @property
    def content(self) -> EntryContent:
        assert self.version is not None
        return parsed_content(self.version.content_hash, self.version.raw_content.encode())


def entries_between(session: Session, first: int, last: int) -> Sequence[CatalogueEntry]:
    """Return the entries of a range of ids, by rising id, with their organisations."""
    organisations = {one.id: one for one in session.scalars(select(Organisation))}
    entries = session.scalars(
        select(CatalogueEntry)
        .where(CatalogueEntry.id.between(first, last))
        .order_by(CatalogueEntry.id)
        .options(
            lazyload(CatalogueEntry.provider),
            lazyload(CatalogueEntry.responsible_dept),
            defer(CatalogueEntry.source_fingerprint),
            defer(CatalogueEntry.remote_id),
            defer(CatalogueEntry.retired_reason),
        )
    ).all()
    for entry in entries:  # a few organisations have all the entries: none is looked up again
        set_committed_value(entry, "provider", organisations[entry.provider_id])
        set_committed_value(entry, "responsible_dept", organisations[entry.responsible_dept_id])
    return entries


def gather_search_facts(
    session: Session, entries: Sequence[CatalogueEntry]
) -> dict[int, SearchFacts]:
    """Return entry id -> what its search document is made of."""
    ids = [entry.id for entry in entries]
    versions = _versions(session, entries)
    distributions = _distributions(session, ids)
    open_place = OpenListEntry.state.not_in(ENDED)
    places = _states(session, OpenListEntry.entry_id, OpenListEntry.state, ids, open_place)
    watches = _states(session, Freshness.entry_id, Freshness.state, ids)
    downloads = _downloads(session, ids)
    return {
        i: SearchFacts(
            versions.get(i),
            distributions.get(i, ()),
            places.get(i),
            watches.get(i),
            downloads.get(i, 0),
        )
        for i in ids
    }


def _versions(session: Session, entries: Sequence[CatalogueEntry]) -> dict[int, KnownVersion]:
    shown = [e.published_version_id for e in entries if e.is_public]
    unpublished = [e.id for e in entries if e.published_version_id is None]
    query = select(
        EntryVersion.entry_id,
        EntryVersion.state,
        EntryVersion.content_hash,
        cast(EntryVersion.content, Text),
    )
    wanted = []
    if shown:
        wanted.append(query.where(EntryVersion.id.in_(shown)))
    if unpublished:
        unfinished = EntryVersion.state.in_(UNFINISHED)
        wanted.append(query.where(EntryVersion.entry_id.in_(unpublished), unfinished))
    return {
        entry_id: KnownVersion(state, digest, raw)
        for one in wanted
        for entry_id, state, digest, raw in session.execute(one)
    }


def _distributions(session: Session, ids: Sequence[int]) -> Mapping[int, list[KnownDistribution]]:
    rows = session.execute(
        select(Distribution.entry_id, Distribution.format, Distribution.current_version_id)
        .where(Distribution.entry_id.in_(ids), Distribution.deleted_at.is_(None))
        .order_by(Distribution.entry_id, Distribution.position, Distribution.id)
    ).all()
    current = _data_versions(session, [version for _, _, version in rows if version is not None])
    found: dict[int, list[KnownDistribution]] = defaultdict(list)
    for entry_id, format, version in rows:
        found[entry_id].append(KnownDistribution(format, current.get(version or 0)))
    return found


def _data_versions(session: Session, ids: Sequence[int]) -> dict[int, DataVersion]:
    if not ids:
        return {}
    needed = (
        DataVersion.table_state,
        DataVersion.table,
        DataVersion.samples,
        DataVersion.hold,
        DataVersion.public_table,
    )
    query = select(DataVersion).where(DataVersion.id.in_(ids))
    options = (load_only(*needed), lazyload(DataVersion.distribution))
    return {one.id: one for one in session.scalars(query.options(*options))}


def _states(
    session: Session,
    entry_id: InstrumentedAttribute[int],
    state: InstrumentedAttribute[str],
    ids: Sequence[int],
    *conditions: object,
) -> dict[int, State]:
    rows = session.execute(select(entry_id, state).where(entry_id.in_(ids), *conditions))  # type: ignore[arg-type]
    return {one: State(text) for one, text in rows}


def _downloads(session: Session, ids: Sequence[int]) -> dict[int, int]:
    rows = session.execute(
        select(Download.entry_id, func.sum(Download.count))
        .where(Download.entry_id.in_(ids))
        .group_by(Download.entry_id)
    )
    return {entry_id: int(count) for entry_id, count in rows}
