"""The order of public changes: a number for each, given after its commit, so that nothing is missed.

A stamp that a transaction writes is seen only once the transaction is committed, and an import brings
stamps of years ago: whoever asks "what is newer than my last stamp" misses both. Therefore a job
compares, every minute, what is public with what it noted before (by the entry's `index_version`, which
every change raises), and gives the next numbers to what changed. One job does it at a time, so numbers
appear in their order; a reader who has everything up to a number never has to look back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Table, and_, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from extensions.exchange.models.change import CatalogueChange
from extensions.exchange.models.series import SeriesMember
from portal.clock import Clock
from portal.db import Database
from portal.models.entry import CatalogueEntry
from portal.models.index_request import EntryDocument, IndexRequest
from portal.platform import Platform
from portal.services.index_requests import request_index_of
from portal.services.package_document import render_package

AT_ONCE, MOST = 500, 20_000
PATIENCE = timedelta(minutes=5)
"""So long the indexer is waited for, which makes the packages; then they are made here."""

LONGEST_NOTING = timedelta(minutes=10)
"""A batch is noted in seconds; what is older than this and not to be seen will never be."""

STAMP = func.coalesce(CatalogueEntry.retired_at, CatalogueEntry.metadata_modified_at)
"""What an entry says of when the public's view of it last changed."""

_LOCK = 0x6368616E6765  # of PostgreSQL's advisory locks; on SQLite one writes at a time anyhow


def run_changes(platform: Platform, _payload: dict[str, Any]) -> None:
    """Note what changed (a job)."""
    note_changes(platform.database, platform.clock)


def note_changes(database: Database, clock: Clock) -> int:
    """Give numbers to all public changes that have none yet; return how many got one."""
    noted = 0
    while True:
        with database.reading() as session:  # the whole catalogue is looked through here alone
            waiting = _waiting(clock()).with_only_columns(CatalogueEntry.id).limit(MOST)
            ids = session.scalars(waiting).all()
        if not ids:
            return noted
        for start in range(0, len(ids), AT_ONCE):
            with database.writing() as session:
                noted += _note_batch(session, clock, ids[start : start + AT_ONCE])


def _waiting(now: datetime) -> Select[Any]:
    """Rows of the entries whose public view may have changed since it was noted."""
    entry, change, kept = CatalogueEntry, CatalogueChange, EntryDocument
    return (
        select(
            entry.id, entry.index_version, entry.retired_at.is_not(None).label("removed"),
            change.sequence, change.digest, change.removed.label("was_removed"),
            kept.version, kept.package,
        )
        .outerjoin(change, change.entry_id == entry.id)
        .outerjoin(kept, kept.entry_id == entry.id)
        .where(
            entry.published_version_id.is_not(None),
            or_(change.entry_id.is_(None), change.index_version != entry.index_version),
            or_(entry.retired_at.is_not(None), ~_being_indexed(now)),
        )
        .order_by(STAMP, entry.id)
    )  # fmt: skip


def _being_indexed(now: datetime) -> ColumnElement[bool]:
    return (
        select(IndexRequest.entry_id)
        .where(
            IndexRequest.entry_id == CatalogueEntry.id, IndexRequest.requested_at > now - PATIENCE
        )
        .exists()
    )


def _note_batch(session: Session, clock: Clock, ids: Sequence[int]) -> int:
    """Note those of the entries that still wait, now that nobody else notes."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    rows = session.execute(_waiting(clock()).where(CatalogueEntry.id.in_(ids))).all()
    last, latest = session.execute(
        select(func.max(CatalogueChange.sequence), func.max(CatalogueChange.changed_at))
    ).one()
    now = max(clock(), latest) if latest else clock()
    number = first = last or 0
    notes, turned = [], []
    for row in rows:
        digest = "" if row.removed else _digest(session, row)
        same = row.sequence is not None and digest == row.digest and row.removed == row.was_removed
        if not same:
            number += 1
        if row.sequence is None or row.removed != row.was_removed:
            turned.append(row.id)
        notes.append((row, None if same else number, digest))
    _write(session, now, notes)
    request_index_of(session, clock, _neighbours(session, turned))
    return number - first


def _digest(session: Session, row: Any) -> str:
    if row.version == row.index_version:
        return hashlib.sha256(row.package).hexdigest()
    entry = session.get_one(CatalogueEntry, row.id)
    return hashlib.sha256(render_package(session, entry)).hexdigest()


def _write(session: Session, now: datetime, notes: Sequence[tuple[Any, int | None, str]]) -> None:
    """Keep the notes; one without a number says that nothing changed for the public."""
    changes = cast(Table, CatalogueChange.__table__)
    for row, number, _digest in notes:
        if number is None:
            session.execute(
                changes.update()
                .where(changes.c.entry_id == row.id)
                .values(index_version=row.index_version)
            )
    values = [
        {
            "entry_id": row.id, "sequence": number, "index_version": row.index_version,
            "removed": row.removed, "digest": digest, "changed_at": now,
        }
        for row, number, digest in notes
        if number is not None
    ]  # fmt: skip
    if not values:
        return
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(changes)
    columns = ("sequence", "index_version", "removed", "digest", "changed_at")
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["entry_id"],
            set_={name: statement.excluded[name] for name in columns},
        ),
        values,
    )


def _neighbours(session: Session, turned: Sequence[int]) -> dict[int, int]:
    """Return the public entries beside those that came or went in a series: theirs are the links."""
    own = select(SeriesMember.series_id).where(SeriesMember.entry_id.in_(turned))
    found = session.scalars(
        select(SeriesMember.entry_id)
        .join(CatalogueEntry, CatalogueEntry.id == SeriesMember.entry_id)
        .where(
            SeriesMember.series_id.in_(own),
            SeriesMember.entry_id.not_in(turned),
            CatalogueEntry.published_version_id.is_not(None),
            CatalogueEntry.retired_at.is_(None),
        )
        .order_by(SeriesMember.entry_id)
    )
    return dict.fromkeys(found, 0)


def settled_until(session: Session, now: datetime) -> datetime:
    """Return an instant up to which every change is noted and to be seen; ask again from there."""
    latest = session.scalar(select(func.max(CatalogueChange.changed_at)))
    bound = now - LONGEST_NOTING
    return max(latest, bound) if latest else bound


def after_former(stamp: datetime, entry_id: int) -> ColumnElement[bool]:
    """Say what comes after a place of the walk by stamps, as cursors of former releases have it."""
    change = CatalogueChange
    return or_(
        change.changed_at > stamp, and_(change.changed_at == stamp, change.entry_id > entry_id)
    )
