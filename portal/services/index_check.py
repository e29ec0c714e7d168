"""Compare the index with the database, entry by entry, in little memory however many there are.

Both sides are walked by rising id. What differs is looked at once more at the end, since entries
change while the walk goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from portal.clock import Clock
from portal.db import Database
from portal.models.entry import UNFINISHED, CatalogueEntry, EntryVersion
from portal.models.organisation import Organisation
from portal.services.index_quarantine import Quarantined, list_quarantined
from portal.services.index_requests import request_index_of
from portal.services.search_document import labels_of
from search.engine import IndexedVersion, SearchEngine

PAGE, BATCH = 5_000, 500
_NEVER = 2**31  # a version above every entry's: what the database does not know is removed for good


@dataclass(frozen=True)
class IndexDifference:
    """Ids of entries that the index holds otherwise than the database says.

    `missing` are not in it, `extra` should not be, `stale` are of another version, `mislabelled` of
    the same version and other labels. `indexed` is the version the index has, where it has one.
    """

    missing: tuple[int, ...] = ()
    extra: tuple[int, ...] = ()
    stale: tuple[int, ...] = ()
    mislabelled: tuple[int, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    indexed: dict[int, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not self.ids and not self.quarantined

    @property
    def ids(self) -> list[int]:
        return sorted((*self.missing, *self.extra, *self.stale, *self.mislabelled))


def check(database: Database, engine: SearchEngine) -> IndexDifference:
    """Return what is missing, extra, stale or wrongly labelled, and what is set aside.

    Raises:
        SearchUnavailable: the engine does not answer.
    """
    suspects = [one.id for one in _unlike(wanted_versions(database), engine.versions())]
    found: dict[str, list[int]] = {"missing": [], "extra": [], "stale": [], "mislabelled": []}
    indexed: dict[int, int] = {}
    for ids in _batches(suspects):
        held = {one.id: one for one in engine.versions(ids)}
        for one in _unlike(wanted_versions(database, ids), iter(held.values())):
            found[one.kind].append(one.id)
            if one.id in held:
                indexed[one.id] = held[one.id].version
    with database.reading() as session:
        quarantined = tuple(list_quarantined(session))
    kinds = {kind: tuple(ids) for kind, ids in found.items()}
    return IndexDifference(**kinds, quarantined=quarantined, indexed=indexed)


@dataclass(frozen=True)
class _Unlike:
    id: int
    kind: str


def _unlike(
    wanted: Iterator[IndexedVersion], indexed: Iterator[IndexedVersion]
) -> Iterator[_Unlike]:
    """Merge two walks by rising id; yield where they differ."""
    ours, theirs = next(wanted, None), next(indexed, None)
    while ours is not None or theirs is not None:
        if theirs is None or (ours is not None and ours.id < theirs.id):
            assert ours is not None
            yield _Unlike(ours.id, "missing")
            ours = next(wanted, None)
        elif ours is None or theirs.id < ours.id:
            yield _Unlike(theirs.id, "extra")
            theirs = next(indexed, None)
        else:
            if ours.version != theirs.version:
                yield _Unlike(ours.id, "stale")
            elif ours.labels != theirs.labels:
                yield _Unlike(ours.id, "mislabelled")
            ours, theirs = next(wanted, None), next(indexed, None)


def wanted_versions(
    database: Database, ids: Collection[int] | None = None
) -> Iterator[IndexedVersion]:
    """Walk what the index should hold, by rising id: every entry that somebody may find."""
    after = -1
    while True:
        query = _findable().where(CatalogueEntry.id > after)
        if ids is not None:
            query = query.where(CatalogueEntry.id.in_(ids))
        with database.reading() as session:
            rows = session.execute(query.order_by(CatalogueEntry.id).limit(PAGE)).all()
        for row in rows:
            is_public = row.published_version_id is not None
            labels = labels_of(row.provider, row.responsible, is_public=is_public)
            yield IndexedVersion(row.id, row.index_version, labels)
        if len(rows) < PAGE:
            return
        after = rows[-1].id


def _findable() -> Any:
    provider, responsible = aliased(Organisation), aliased(Organisation)
    unfinished = (
        select(EntryVersion.id)
        .where(EntryVersion.entry_id == CatalogueEntry.id, EntryVersion.state.in_(UNFINISHED))
        .exists()
    )
    published = CatalogueEntry.published_version_id.is_not(None)
    return (
        select(
            CatalogueEntry.id,
            CatalogueEntry.index_version,
            CatalogueEntry.published_version_id,
            provider.code.label("provider"),
            responsible.code.label("responsible"),
        )
        .join(provider, provider.id == CatalogueEntry.provider_id)
        .join(responsible, responsible.id == CatalogueEntry.responsible_dept_id)
        .where(or_(published & CatalogueEntry.retired_at.is_(None), ~published & unfinished))
    )


def repair(
    database: Database, engine: SearchEngine, clock: Clock, difference: IndexDifference
) -> None:
    """Ask for every differing entry anew; what the database does not know is removed at once."""
    for ids in _batches(difference.ids):
        with database.writing() as session:
            known = _known(session, ids)
            request_index_of(
                session, clock, {i: difference.indexed.get(i, 0) for i in ids if i in known}
            )
        unknown = [(i, _NEVER) for i in ids if i not in known]
        if unknown:
            engine.write([], unknown)


def _known(session: Session, ids: Sequence[int]) -> set[int]:
    return set(session.scalars(select(CatalogueEntry.id).where(CatalogueEntry.id.in_(ids))))


def _batches(ids: Iterable[int]) -> Iterator[list[int]]:
    source = iter(ids)
    while batch := list(islice(source, BATCH)):
        yield batch
