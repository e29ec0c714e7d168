"""The nightly computation of all value scores from the recorded facts.

What changed is looked for without a lock, a batch at a time, and only that is written: nobody waits
for the whole, and a second run over the same facts writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from portal.clock import Clock
from portal.db import Database
from portal.models.entry import CatalogueEntry
from portal.services.index_requests import request_index_of
from portal.services.value import gather_signals_of, is_outdated, keep_value

BATCH = 300


@dataclass
class Recomputed:
    """How many entries were looked at, kept anew, and asked to be indexed for another score."""

    looked_at: int = 0
    kept: int = 0
    requested: int = 0


def recompute_all(database: Database, clock: Clock) -> Recomputed:
    """Bring every published entry's score to what the facts say; return what was done.

    A request to index is left only where the score or the badge changed.
    """
    done = Recomputed()
    for ids in _batches(database):
        with database.reading() as session:
            entries = _entries(session, ids)
            signals = gather_signals_of(session, clock, entries)
            outdated = [one.id for one in entries if is_outdated(one, signals[one.id])]
        done.looked_at += len(entries)
        if outdated:
            with database.writing() as session:
                _keep(session, clock, outdated, done)
    return done


def _keep(session: Session, clock: Clock, ids: Sequence[int], done: Recomputed) -> None:
    """Compute again under the lock: facts may have changed since they were looked at."""
    entries = _entries(session, ids)
    signals = gather_signals_of(session, clock, entries)
    moved: dict[int, int] = {}
    for entry in entries:
        before = (entry.value_score, entry.value_badge)
        done.kept += keep_value(clock, entry, signals[entry.id])
        if (entry.value_score, entry.value_badge) != before:
            moved[entry.id] = 0
    session.flush()
    request_index_of(session, clock, moved)
    done.requested += len(moved)


def _entries(session: Session, ids: Sequence[int]) -> Sequence[CatalogueEntry]:
    return session.scalars(
        select(CatalogueEntry).where(_published(), CatalogueEntry.id.in_(ids))
    ).all()


def _batches(database: Database) -> Iterator[Sequence[int]]:
    after = 0
    while True:
        with database.reading() as session:
            ids = session.scalars(
                select(CatalogueEntry.id)
                .where(_published(), CatalogueEntry.id > after)
                .order_by(CatalogueEntry.id)
                .limit(BATCH)
            ).all()
        if not ids:
            return
        yield ids
        after = ids[-1]


def _published() -> ColumnElement[bool]:
    return CatalogueEntry.published_version_id.is_not(None) & CatalogueEntry.retired_at.is_(None)
