"""What stands around catalogue entries, read for many entries at once.

The indexer and the package documents need the same rows of hundreds of entries: one query a kind
for all of them, instead of several for each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, lazyload

from portal.models.distribution import Distribution, Download
from portal.models.entry import UNFINISHED, CatalogueEntry, EntryVersion
from portal.models.freshness import Freshness
from portal.models.open_list import ENDED, OpenListEntry
from portal.rules.entry_content import EntryContent
from portal.services.content import content_of
from portal.services.entry_hooks import more_extras


@dataclass(frozen=True)
class EntryFacts:
    """`version` is the one that search shows: the published one, else the unfinished one, or None.

    `extras` are the package's keys that extensions add.
    """

    version: EntryVersion | None
    distributions: Sequence[Distribution]
    place: OpenListEntry | None
    freshness: Freshness | None
    downloads: int
    extras: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> EntryContent:
        assert self.version is not None
        return content_of(self.version)


def facts_of(session: Session, entry: CatalogueEntry) -> EntryFacts:
    return gather_facts(session, [entry])[entry.id]


def gather_facts(
    session: Session,
    entries: Sequence[CatalogueEntry],
    *,
    counts_downloads: bool = True,
    with_extras: bool = True,
) -> dict[int, EntryFacts]:
    """Return entry id -> what stands around the entry; who makes no package needs no extras."""
    ids = [entry.id for entry in entries]
    versions = _versions(session, entries)
    distributions = _distributions(session, ids)
    places = {
        place.entry_id: place
        for place in session.scalars(
            select(OpenListEntry)
            .where(OpenListEntry.entry_id.in_(ids), OpenListEntry.state.not_in(ENDED))
            .options(lazyload(OpenListEntry.entry), lazyload(OpenListEntry.version))
        )
    }
    watches = {
        watch.entry_id: watch
        for watch in session.scalars(
            select(Freshness).where(Freshness.entry_id.in_(ids)).options(lazyload(Freshness.entry))
        )
    }
    downloads = _downloads(session, ids) if counts_downloads else {}
    extras = more_extras(session, entries) if with_extras else {}
    return {
        entry.id: EntryFacts(
            versions.get(entry.id),
            distributions[entry.id],
            places.get(entry.id),
            watches.get(entry.id),
            downloads.get(entry.id, 0),
            extras.get(entry.id, {}),
        )
        for entry in entries
    }


def _versions(session: Session, entries: Sequence[CatalogueEntry]) -> dict[int, EntryVersion]:
    shown = [e.published_version_id for e in entries if e.is_public]
    unpublished = [e.id for e in entries if e.published_version_id is None]
    query = select(EntryVersion).options(lazyload(EntryVersion.entry))
    found: list[EntryVersion] = []
    if shown:
        found += session.scalars(query.where(EntryVersion.id.in_(shown)))
    if unpublished:
        found += session.scalars(
            query.where(EntryVersion.entry_id.in_(unpublished), EntryVersion.state.in_(UNFINISHED))
        )
    return {version.entry_id: version for version in found}


def _distributions(session: Session, ids: list[int]) -> dict[int, list[Distribution]]:
    found: dict[int, list[Distribution]] = defaultdict(list)
    rows = session.scalars(
        select(Distribution)
        .where(Distribution.entry_id.in_(ids), Distribution.deleted_at.is_(None))
        .order_by(Distribution.entry_id, Distribution.position, Distribution.id)
        .options(lazyload(Distribution.entry))
    )
    for distribution in rows:
        found[distribution.entry_id].append(distribution)
    return found


def _downloads(session: Session, ids: list[int]) -> dict[int, int]:
    rows = session.execute(
        select(Download.entry_id, func.sum(Download.count))
        .where(Download.entry_id.in_(ids))
        .group_by(Download.entry_id)
    )
    return {entry_id: int(count) for entry_id, count in rows}
