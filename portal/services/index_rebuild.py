"""Build the index anew from the database, beside the live one, while writes and searches go on.

Entries are read in ranges of ids, each in a transaction of its own: a change made after its range
was read reaches the new index by its index request. A build that is cut off stays, and the next
one goes on after the last range that the new index has kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from portal.clock import Clock
from portal.db import Database
from portal.models.entry import CatalogueEntry
from portal.services.index_quarantine import retry_quarantined, set_aside
from portal.services.rebuild_lock import rebuilding_alone
from portal.services.search_document import search_document
from portal.services.search_facts import SearchFacts, entries_between, gather_search_facts
from search.building import IndexBuild
from search.engine import SearchEngine
from search.prepared import Prepared, Refusals, reason_of

RANGE = 400

Range = tuple[int, int]
"""First and last id, both included."""


@dataclass(frozen=True)
class PreparedRange:
    """What the entries of a range mean for the index; `faults` could not be made."""

    last_id: int
    entries: int
    writes: list[Prepared]
    faults: Refusals


Prepare = Callable[[Iterable[Range]], Iterator[PreparedRange]]
"""Prepares ranges, in this process or beside it; yields them in their order."""

Progress = Callable[[int, int], None]
"""Told (entries done, entries in all) after each range, those of an earlier build included."""


def no_progress(_done: int, _total: int) -> None:
    return


def rebuild(
    database: Database,
    engine: SearchEngine,
    clock: Clock,
    *,
    prepare: Prepare | None = None,
    progress: Progress = no_progress,
    fresh: bool = False,
) -> int:
    """Build an index beside the live one and swap; return how many entries it holds.

    Args:
        prepare: who makes the documents; this process when none is given.
        fresh: begin anew even if an earlier build was cut off.

    Raises:
        Conflict: another process is rebuilding.
        SearchUnavailable: the engine does not answer; what is built stays, and the next call
            goes on with it.
    """
    prepare = prepare or prepared_here(database, engine)
    with rebuilding_alone(database), engine.build(resume=not fresh) as build:
        faults = _fill(database, build, prepare, progress)
        held = build.publish()
    with database.writing() as session:
        retry_quarantined(session)
        set_aside(session, clock, faults)
    return held


def _fill(database: Database, build: IndexBuild, prepare: Prepare, progress: Progress) -> Refusals:
    with database.reading() as session:
        total = _count(session)
        stood = max(build.stands_at, 0)  # the ids of entries begin at 1
        done = total - _count(session, after=stood)
    progress(done, total)
    faults: Refusals = {}
    for prepared in prepare(_ranges(database, stood)):
        faults |= prepared.faults | build.add(prepared.writes, prepared.last_id)
        done += prepared.entries
        progress(done, max(done, total))
    return faults


def _count(session: Session, *, after: int = 0) -> int:
    query = select(func.count(CatalogueEntry.id)).where(CatalogueEntry.id > after)
    return session.scalar(query) or 0


def _ranges(database: Database, after: int) -> Iterator[Range]:
    """Yield the ranges of all entries after an id, those added meanwhile included."""
    while True:
        with database.reading() as session:
            ids = session.scalars(
                select(CatalogueEntry.id)
                .where(CatalogueEntry.id > after)
                .order_by(CatalogueEntry.id)
                .limit(RANGE)
            ).all()
        if not ids:
            return
        yield ids[0], ids[-1]
        after = ids[-1]


def prepared_here(database: Database, engine: SearchEngine) -> Prepare:
    def prepare(ranges: Iterable[Range]) -> Iterator[PreparedRange]:
        return (prepare_range(database, engine, one) for one in ranges)

    return prepare


def prepare_range(database: Database, engine: SearchEngine, wanted: Range) -> PreparedRange:
    """Return the writes of a range's entries, the documents and the removals of what is hidden."""
    writes: list[Prepared] = []
    faults: Refusals = {}
    with database.reading() as session:
        entries = entries_between(session, *wanted)
        facts = gather_search_facts(session, entries)
        for entry in entries:
            try:
                writes.append(_prepared(session, engine, entry, facts[entry.id]))
            except DBAPIError:
                raise
            except Exception as error:
                faults[entry.id] = reason_of(error)
    return PreparedRange(wanted[1], len(entries), writes, faults)


def _prepared(
    session: Session, engine: SearchEngine, entry: CatalogueEntry, facts: SearchFacts
) -> Prepared:
    document = search_document(session, entry, facts)
    if document is None:  # remembered, so that a worker's late batch does not bring it back
        return engine.prepare_removal(entry.id, entry.index_version)
    return engine.prepare(document)
