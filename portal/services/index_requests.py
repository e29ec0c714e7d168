"""Ask for an entry to be indexed, in the transaction that changes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from sqlalchemy import Table, bindparam, case, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal.clock import Clock
from portal.models.entry import CatalogueEntry
from portal.models.index_request import IndexRequest, SearchDenial

AT_ONCE = 1_000  # entries; a database takes only so many values in one statement
_DENIED = select(SearchDenial.__table__.c.entry_id)  # asked by every search: made once


def request_index(
    session: Session, clock: Clock, entry: CatalogueEntry, *, tightens: bool = False
) -> None:
    """Leave an index request; the index will come to what the database says at this version.

    Args:
        tightens: the entry becomes less visible; every search leaves it out from the commit on,
            until the index has caught up.
    """
    session.flush()
    session.execute(
        update(CatalogueEntry)
        .where(CatalogueEntry.id == entry.id)
        .values(index_version=CatalogueEntry.index_version + 1)
        .execution_options(synchronize_session=False)
    )
    session.refresh(entry, ["index_version"])
    upsert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    now = clock()
    session.execute(
        upsert(IndexRequest)
        .values(
            entry_id=entry.id, version=entry.index_version, requested_at=now, attempts=0, error=""
        )
        .on_conflict_do_update(
            index_elements=["entry_id"],
            set_={"version": entry.index_version, "requested_at": now, "attempts": 0, "error": ""},
        )
    )
    if tightens:
        session.execute(
            upsert(SearchDenial)
            .values(entry_id=entry.id, version=entry.index_version)
            .on_conflict_do_update(
                index_elements=["entry_id"], set_={"version": entry.index_version}
            )
        )


def request_first_index(session: Session, clock: Clock, entry_ids: Iterable[int]) -> None:
    """Leave the index requests of entries that were just made, at their first version."""
    session.flush()
    now = clock()
    rows = [
        {"entry_id": i, "version": 1, "requested_at": now, "attempts": 0, "error": ""}
        for i in entry_ids
    ]
    session.execute(insert(IndexRequest), rows)


def request_index_of(session: Session, clock: Clock, floors: Mapping[int, int]) -> None:
    """Leave index requests for many entries in a few statements.

    Args:
        floors: entry id -> a version that the index may already have; the requested one is higher.
    """
    wanted = list(floors.items())
    for start in range(0, len(wanted), AT_ONCE):
        _request_some(session, clock, dict(wanted[start : start + AT_ONCE]))


def _request_some(session: Session, clock: Clock, floors: Mapping[int, int]) -> None:
    entries = cast(Table, CatalogueEntry.__table__)
    session.connection().execute(
        update(entries)
        .where(entries.c.id == bindparam("wanted"))
        .values(
            index_version=case(
                (entries.c.index_version < bindparam("floor"), bindparam("floor")),
                else_=entries.c.index_version,
            )
            + 1
        ),
        [{"wanted": entry_id, "floor": floor} for entry_id, floor in floors.items()],
    )
    versions = select(CatalogueEntry.id, CatalogueEntry.index_version).where(
        CatalogueEntry.id.in_(floors)
    )
    now = clock()
    upsert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = upsert(IndexRequest)
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["entry_id"],
            set_={
                "version": statement.excluded.version,
                "requested_at": now,
                "attempts": 0,
                "error": "",
            },
        ),
        [
            {"entry_id": i, "version": version, "requested_at": now, "attempts": 0, "error": ""}
            for i, version in session.execute(versions)
        ],
    )


def denied_entry_ids(session: Session) -> frozenset[int]:
    """Return the entries that no search may show whatever the index says."""
    return frozenset(session.connection().scalars(_DENIED).all())
