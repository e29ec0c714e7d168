"""Bring the search index to what the database says.

Requests are rows; a request is deleted only after the engine has what it asked for, and only if
no newer request came meanwhile. Any order and any repetition ends in the same index.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import structlog
from sqlalchemy import Table, bindparam, delete, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from portal.clock import Clock
from portal.db import Database
from portal.models.entry import CatalogueEntry
from portal.models.index_request import EntryDocument, IndexRequest, SearchDenial
from portal.services.entry_facts import EntryFacts, gather_facts
from portal.services.index_quarantine import is_quarantined, record_faults
from portal.services.package_document import render_package
from portal.services.search_document import search_document
from search.document import SearchDocument
from search.engine import SearchEngine, SearchUnavailable
from search.prepared import Refusals, reason_of

log = structlog.get_logger(__name__)
BATCH = 300


@dataclass(frozen=True)
class Work:
    """What one batch tells the engine; `requests` maps entry ids to the versions told."""

    requests: dict[int, int]
    documents: list[SearchDocument]
    removed: list[tuple[int, int]]
    packages: dict[int, bytes]
    faults: dict[int, str]

    def set_aside(self, entry_id: int, reason: str) -> None:
        """The engine does not take the entry's document: its request stays, with the reason."""
        self.requests.pop(entry_id, None)
        self.packages.pop(entry_id, None)
        self.faults[entry_id] = reason
        log.warning("entry not indexed", entry=entry_id, reason=reason)


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
    for entry_id, reason in _tell(engine, work).items():
        work.set_aside(entry_id, reason)
    with database.writing() as session:
        _settle(session, work)
    return len(work.requests)


def _tell(engine: SearchEngine, work: Work) -> Refusals:
    """Write the batch; return what was refused. What no engine should do stops one entry only."""
    if not work.documents and not work.removed:
        return {}
    try:
        return engine.write(work.documents, work.removed)
    except SearchUnavailable:
        raise
    except Exception:
        log.exception("a batch was refused as a whole; its entries are written one by one")
    refused: Refusals = {}
    for document in work.documents:
        refused |= _tell_one(engine, document.id, [document], [])
    for pair in work.removed:
        refused |= _tell_one(engine, pair[0], [], [pair])
    return refused


def _tell_one(
    engine: SearchEngine,
    entry_id: int,
    documents: list[SearchDocument],
    removed: list[tuple[int, int]],
) -> Refusals:
    try:
        return engine.write(documents, removed)
    except SearchUnavailable:
        raise
    except Exception as error:
        return {entry_id: reason_of(error)}


def _gather(session: Session, limit: int) -> Work:
    rows = session.execute(
        select(IndexRequest.entry_id, IndexRequest.version)
        .where(~is_quarantined())
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
        except DBAPIError:
            raise
        except Exception as error:
            # One bad record must not hold up the others; it is named where operators look.
            work.faults[row.entry_id] = reason_of(error)
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
    record_faults(session, work.faults)
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
    """Yield the document of every entry that somebody may find, by rising id."""
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
        facts = gather_facts(session, entries, with_extras=False)
        for entry in entries:
            document = search_document(session, entry, facts[entry.id])
            if document is not None:
                yield document
        last = entries[-1].id
        session.expunge_all()


def count_pending(session: Session) -> int:
    """Return how many requests wait; what is set aside waits no longer."""
    query = select(func.count(IndexRequest.entry_id)).where(~is_quarantined())
    return session.scalar(query) or 0
