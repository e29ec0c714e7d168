"""Work that people have left undone beside a large catalogue, for the benchmark of the work pages."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.models.account import Account
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.organisation import get_organisation
from portal.platform import Platform
from portal.services.accounts import actor_of, create_account
from portal.services.work_list import WorkList
from tests.factories import BUREAU, PASSWORD, TRANSPORT, Catalogue, People, content

NEW, REVISED, DRAFTS, PLANNED, LATE = 200, 100, 100, 100, 100
DEADLINES = 20_000
# What a copied data set lacks: its clock and its place on the open list (tests.benchmarks.multiply).
CLOCKS = """
INSERT INTO freshness (entry_id, state, row_version, updated_at)
SELECT e.id, 'current', 1, e.metadata_modified_at FROM catalogue_entry e
WHERE e.published_version_id IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM freshness f WHERE f.entry_id = e.id)
"""
PLACES = """
INSERT INTO open_list_entry
(entry_id, version_id, state, row_version, open_type, proposed_at, review, opened_at, suspended_by, reason)
SELECT e.id, e.published_version_id, 'open', 1, 'unconditional', e.created_at, '{}', e.created_at, '', ''
FROM catalogue_entry e WHERE e.published_version_id IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM open_list_entry o WHERE o.entry_id = e.id)
"""
LATE_DATA = """
UPDATE freshness SET state = 'overdue', due_at = datetime('now', '-40 days'), overdue_at = datetime('now', '-20 days')
WHERE id IN (SELECT f.id FROM freshness f JOIN catalogue_entry e ON e.id = f.entry_id
JOIN organisation o ON o.id = e.provider_id WHERE o.code = ? ORDER BY f.id DESC LIMIT ?)
"""
KEPT_DEADLINES = """
INSERT INTO deadline (flow, subject_id, entry_id, organisation_id, actor_kind, state, events, start_on,
working_days, due_on, provisional, source, closed_at, met)
SELECT 'open_list_entry', -e.id, e.id, e.provider_id, 'agency', 'planned', 'publish', date('now', '-40 days'), 10,
date('now', '-20 days'), 0, 'S', datetime('now', '-30 days'), e.id % 10 != 0
FROM catalogue_entry e ORDER BY e.id LIMIT ?
"""


@dataclass(frozen=True)
class Waiting:
    """Who has work: usernames; ids of the submitted versions; how much waits for the agency."""

    clerk: str
    reviewer: str
    submitted: list[int]
    agency: int


def fill(platform: Platform, database: Path) -> Waiting:
    """Bring the catalogue to the state in which it is measured; a second time finds it so."""
    with platform.database.writing() as session:
        clerk = _account(platform, session, "bench-clerk", "agency_editor", TRANSPORT)
        reviewer = _account(platform, session, "bench-reviewer", "bureau_reviewer", BUREAU)
        names, actor = (clerk.username, reviewer.username), actor_of(clerk)
        made = not _submitted(session)
        if made:
            _leave_undone(platform, session)
    if made:
        _age(database)
    with platform.database.reading() as session:
        waits = len(WorkList(session, platform.clock, actor).rows())
        return Waiting(*names, _submitted(session), waits)


def _account(
    platform: Platform, session: Session, username: str, role: str, organisation: str
) -> Account:
    found = session.scalars(select(Account).where(Account.username == username)).first()
    return found or create_account(
        session,
        platform.clock,
        username=username,
        password=PASSWORD,
        memberships=[(role, get_organisation(session, organisation))],
    )


def _submitted(session: Session) -> list[int]:
    query = select(EntryVersion.id).where(EntryVersion.state == "submitted")
    return list(session.scalars(query.order_by(EntryVersion.id)))


def _leave_undone(platform: Platform, session: Session) -> None:
    """Let people hand in, draft, and plan, through the real flows."""
    people = People(platform, session)
    catalogue = Catalogue(platform, session, people)
    for _n in range(NEW):
        catalogue.submitted()
    for entry in _published(session, REVISED):
        revision = catalogue.entries.revise(people.department, entry)
        given = replace(content(), title=revision.title, theme=revision.theme)
        catalogue.entries.save(people.editor, revision, given)
        catalogue.entries.submit(people.department, revision)
    for _n in range(DRAFTS):
        catalogue.draft()
    for _n in range(PLANNED):
        catalogue.planned()


def _published(session: Session, count: int) -> list[CatalogueEntry]:
    provider = get_organisation(session, TRANSPORT).id
    query = select(CatalogueEntry).where(
        CatalogueEntry.provider_id == provider, CatalogueEntry.published_version_id.is_not(None)
    )
    return list(session.scalars(query.order_by(CatalogueEntry.id).limit(count)).unique())


def _age(database: Path) -> None:
    """Give the copies their clocks and places, let some data grow old, and keep old deadlines."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute(CLOCKS)
        connection.execute(PLACES)
        connection.execute(LATE_DATA, (TRANSPORT, LATE))
        connection.execute(KEPT_DEADLINES, (DEADLINES,))
