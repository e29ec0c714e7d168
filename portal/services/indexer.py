"""Bring the search index to what the database says.

Requests are rows; a request is deleted only after the engine has what it asked for, and only if
no newer request came meanwhile. Any order and any repetition ends in the same index.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Table, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from portal.clock import Clock
from portal.db import Database
from portal.models.entry import UNFINISHED, CatalogueEntry, EntryVersion
from portal.models.index_request import EntryDocument, IndexRequest, SearchDenial
from portal.services.entry_facts import EntryFacts, gather_facts
from portal.services.index_requests import request_index
from portal.services.package_document import render_package
from portal.services.search_document import search_document
from search.document import SearchDocument
from search.engine import SearchEngine

BATCH = 300
POISON_AFTER = 5


@dataclass(frozen=True)
class Work:
    """What one batch tells the engine; `requests` maps entry ids to the versions told."""

    requests: dict[int, int]
    documents: list[SearchDocument]
    removed: list[tuple[int, int]]
    packages: dict[int, bytes]
    faults: dict[int, str]


def index_pending(
    database: Database, engine: SearchEngine, clock: Clock, *, limit: int = BATCH
) -> int:
    """Index one batch of waiting requests; return how many were settled.

    Raises:
        SearchUnavailable: the engine does not answer; every request stays.
    """
    with database.reading() as session:
        work = _gather(session, limit)
    if not work.requests and not work.faults:
        return 0
    if work.documents or work.removed:
        engine.write(work.documents, work.removed)
    with database.writing() as session:
        _settle(session, work)
    return len(work.requests)


def _gather(session: Session, limit: int) -> Work:
    rows = session.execute(
        select(IndexRequest.entry_id, IndexRequest.version)
        .where(IndexRequest.attempts < POISON_AFTER)
        .order_by(IndexRequest.requested_at)
        .limit(limit)
    ).all()
    work = Work({}, [], [], {}, {})
    entries = {
        entry.id: entry
        for entry in session.scalars(
            select(CatalogueEntry).where(CatalogueEntry.id.in_([row.entry_id for row in rows]))
        )
    }
    facts = gather_facts(session, list(entries.values()))
    for row in rows:
        try:
            _add(session, entries[row.entry_id], facts[row.entry_id], work)
        except Exception as error:
            # One bad record must not hold up the others; it is named where operators look.
            work.faults[row.entry_id] = f"{type(error).__name__}: {error}"
    return work


def _add(session: Session, entry: CatalogueEntry, facts: EntryFacts, work: Work) -> None:
    document = search_document(session, entry, facts)
    package = render_package(session, entry, facts=facts) if document is not None else b""
    if document is None:
        work.removed.append((entry.id, entry.index_version))
    else:
        work.documents.append(document)
        work.packages[entry.id] = package
    work.requests[entry.id] = entry.index_version


def _settle(session: Session, work: Work) -> None:
    if work.requests:
        waiting = cast(Table, IndexRequest.__table__)
        session.connection().execute(
            delete(waiting).where(
                waiting.c.entry_id == bindparam("told"), waiting.c.version <= bindparam("to")
            ),
            [{"told": entry_id, "to": version} for entry_id, version in work.requests.items()],
        )
    for entry_id, fault in work.faults.items():
        session.execute(
            update(IndexRequest)
            .where(IndexRequest.entry_id == entry_id)
            .values(attempts=IndexRequest.attempts + 1, error=fault[:2000])
        )
    _lift_denials(session, work)
    _keep_documents(session, work)


def _lift_denials(session: Session, work: Work) -> None:
    denied = session.execute(
        select(SearchDenial.entry_id, SearchDenial.version).where(
            SearchDenial.entry_id.in_(work.requests)
        )
    ).all()
    for row in denied:
        if row.version <= work.requests[row.entry_id]:
            session.execute(
                delete(SearchDenial).where(
                    SearchDenial.entry_id == row.entry_id, SearchDenial.version <= row.version
                )
            )


def _keep_documents(session: Session, work: Work) -> None:
    session.execute(delete(EntryDocument).where(EntryDocument.entry_id.in_(work.requests)))
    session.add_all(
        EntryDocument(entry_id=entry_id, version=work.requests[entry_id], package=package)
        for entry_id, package in work.packages.items()
    )


def all_documents(session: Session) -> Iterator[SearchDocument]:
    """Yield the document of every entry that somebody may find."""
    last = 0
    while True:
        entries = session.scalars(
            select(CatalogueEntry)
            .where(CatalogueEntry.id > last)
            .order_by(CatalogueEntry.id)
            .limit(BATCH)
        ).all()
        if not entries:
            return
        facts = gather_facts(session, entries)
        for entry in entries:
            document = search_document(session, entry, facts[entry.id])
            if document is not None:
                yield document
        last = entries[-1].id
        session.expunge_all()


def rebuild(database: Database, engine: SearchEngine) -> int:
    """Build a fresh index beside the live one and swap; return how many documents it holds.

    Requests written meanwhile stay and are indexed into the new index afterwards.
    """
    with database.reading() as session:
        return engine.rebuild(all_documents(session), hidden_entries(session))


def hidden_entries(session: Session) -> Iterator[tuple[int, int]]:
    """Yield (entry id, version) of every entry that nobody may find.

    A rebuilt index remembers them, so that a worker's late batch brings none of them back.
    """
    unfinished = (
        select(EntryVersion.id)
        .where(EntryVersion.entry_id == CatalogueEntry.id, EntryVersion.state.in_(UNFINISHED))
        .exists()
    )
    unpublished = CatalogueEntry.published_version_id.is_(None)
    query = select(CatalogueEntry.id, CatalogueEntry.index_version).where(
        (unpublished & ~unfinished) | (~unpublished & CatalogueEntry.retired_at.is_not(None))
    )
    for row in session.execute(
        query.order_by(CatalogueEntry.id).execution_options(yield_per=BATCH)
    ):
        yield row.id, row.index_version


@dataclass(frozen=True)
class IndexDifference:
    """What `check` found: entry ids missing in the index, not wanted there, or out of date."""

    missing: tuple[int, ...]
    extra: tuple[int, ...]
    stale: tuple[int, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.missing or self.extra or self.stale)


def check(database: Database, engine: SearchEngine) -> IndexDifference:
    """Compare the index with the database by version and labels."""
    with database.reading() as session:
        wanted = {d.id: (d.version, d.labels) for d in all_documents(session)}
    indexed = {v.id: (v.version, v.labels) for v in engine.versions()}
    return IndexDifference(
        missing=tuple(sorted(wanted.keys() - indexed.keys())),
        extra=tuple(sorted(indexed.keys() - wanted.keys())),
        stale=tuple(sorted(i for i in wanted.keys() & indexed.keys() if wanted[i] != indexed[i])),
    )


def repair(
    database: Database, engine: SearchEngine, clock: Clock, difference: IndexDifference
) -> None:
    """Ask for every differing entry anew; what the database does not know is removed at once."""
    ids = {*difference.missing, *difference.stale, *difference.extra}
    with database.writing() as session:
        known = dict(
            session.execute(
                select(CatalogueEntry.id, CatalogueEntry.index_version).where(
                    CatalogueEntry.id.in_(ids)
                )
            )
            .tuples()
            .all()
        )
        for entry in session.scalars(select(CatalogueEntry).where(CatalogueEntry.id.in_(known))):
            request_index(session, clock, entry)
    unknown = [(i, 2**31) for i in ids - known.keys()]
    if unknown:
        engine.write([], unknown)


def count_pending(session: Session) -> int:
    return session.scalar(select(func.count(IndexRequest.entry_id))) or 0
