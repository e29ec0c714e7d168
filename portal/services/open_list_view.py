"""An agency's open list (数据开放清单) as the public reads it: numbered, paged, downloadable.

A region's list is that of all its agencies together, so functions take several organisations.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from portal.errors import NotFound
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.open_list import OpenListEntry, OpenListRelease
from portal.models.organisation import Organisation

LISTED = ("planned", "open", "suspended")
RELEASES_SHOWN = 30


@dataclass(frozen=True)
class ListedEntry:
    code: str
    slug: str
    title: str
    theme: str
    open_type: str
    update_frequency: str
    state: str
    opened_at: datetime | None
    planned_on: date | None
    modified_at: datetime | None
    organisation: str


@dataclass(frozen=True)
class Release:
    number: int
    released_at: datetime
    change: str
    title: str
    slug: str
    organisation: str


@dataclass(frozen=True)
class OldPlace:
    """An entry on an earlier version of the list, named as it was then."""

    code: str
    slug: str
    title: str
    state: str
    since: datetime


def count_listed(session: Session, organisation_ids: Collection[int]) -> int:
    query = (
        select(func.count(OpenListEntry.id))
        .join(CatalogueEntry, CatalogueEntry.id == OpenListEntry.entry_id)
        .where(*_conditions(organisation_ids))
    )
    return session.scalar(query) or 0


def list_listed(
    session: Session, organisation_ids: Collection[int], *, start: int = 0, rows: int | None = None
) -> list[ListedEntry]:
    """Return the entries on the list, by code."""
    query = _listed(organisation_ids).offset(start)
    if rows is not None:
        query = query.limit(rows)
    return [ListedEntry(*row) for row in session.execute(query)]


def walk_listed(session: Session, organisation_ids: Collection[int]) -> Iterator[ListedEntry]:
    """Yield the whole list without holding it."""
    for row in session.execute(_listed(organisation_ids).execution_options(yield_per=500)):
        yield ListedEntry(*row)


def _conditions(organisation_ids: Collection[int]) -> tuple[ColumnElement[bool], ...]:
    return (
        CatalogueEntry.provider_id.in_(organisation_ids),
        CatalogueEntry.published_version_id.is_not(None),
        CatalogueEntry.retired_at.is_(None),
        OpenListEntry.state.in_(LISTED),
    )


def _listed(organisation_ids: Collection[int]) -> Any:
    return (
        select(
            CatalogueEntry.code,
            CatalogueEntry.slug,
            EntryVersion.title,
            EntryVersion.theme,
            OpenListEntry.open_type,
            EntryVersion.update_frequency,
            OpenListEntry.state,
            OpenListEntry.opened_at,
            OpenListEntry.planned_open_date,
            CatalogueEntry.data_modified_at,
            Organisation.name,
        )
        .join(CatalogueEntry, CatalogueEntry.id == OpenListEntry.entry_id)
        .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .join(Organisation, Organisation.id == CatalogueEntry.provider_id)
        .where(*_conditions(organisation_ids))
        .order_by(CatalogueEntry.code)
    )


def count_releases(session: Session, organisation_ids: Collection[int]) -> int:
    query = select(func.count(OpenListRelease.id))
    return session.scalar(query.where(OpenListRelease.organisation_id.in_(organisation_ids))) or 0


def list_releases(
    session: Session,
    organisation_ids: Collection[int],
    *,
    start: int = 0,
    rows: int = RELEASES_SHOWN,
) -> list[Release]:
    """Return numbered versions of the lists, newest first, with what each changed."""
    query = (
        select(
            OpenListRelease.number,
            OpenListRelease.released_at,
            OpenListRelease.change,
            func.coalesce(EntryVersion.title, ""),
            CatalogueEntry.slug,
            Organisation.name,
        )
        .join(CatalogueEntry, CatalogueEntry.id == OpenListRelease.entry_id)
        .join(Organisation, Organisation.id == OpenListRelease.organisation_id)
        .outerjoin(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .where(OpenListRelease.organisation_id.in_(organisation_ids))
        .order_by(OpenListRelease.released_at.desc(), OpenListRelease.id.desc())
        .offset(start)
        .limit(rows)
    )
    return [Release(*row) for row in session.execute(query)]


def list_at(session: Session, organisation_id: int, number: int) -> tuple[Release, list[OldPlace]]:
    """Return a version of the list and what stood on it, rebuilt from all changes up to it.

    Raises:
        NotFound: the list never had that version.
    """
    query = (
        select(OpenListRelease, CatalogueEntry)
        .join(CatalogueEntry, CatalogueEntry.id == OpenListRelease.entry_id)
        .where(OpenListRelease.organisation_id == organisation_id, OpenListRelease.number <= number)
        .order_by(OpenListRelease.number)
    )
    rows = session.execute(query).all()
    if not rows or rows[-1][0].number != number:
        raise NotFound("这份清单没有第 {number} 版。", number=number)
    newest = rows[-1][0]
    titles = _titles_at(session, {entry.id for _release, entry in rows}, newest.released_at)
    places: dict[int, OldPlace] = {}
    for release, entry in rows:
        before = places.get(entry.id)
        keeps = release.change == "type_changed" and before is not None
        state = before.state if keeps and before else release.change
        title = titles.get(entry.id, "")
        places[entry.id] = OldPlace(entry.code, entry.slug, title, state, release.released_at)
    changed = places[newest.entry_id]
    found = Release(number, newest.released_at, newest.change, changed.title, changed.slug, "")
    listed = (place for place in places.values() if place.state in LISTED)
    return found, sorted(listed, key=lambda place: place.code)


def _titles_at(session: Session, entry_ids: Collection[int], moment: datetime) -> dict[int, str]:
    """Return entry id -> its title of then; of imported entries the first that is known."""
    query = (
        select(EntryVersion.entry_id, EntryVersion.title, EntryVersion.published_at)
        .where(EntryVersion.entry_id.in_(entry_ids), EntryVersion.published_at.is_not(None))
        .order_by(EntryVersion.number)
    )
    found: dict[int, str] = {}
    for entry_id, title, published_at in session.execute(query):
        if entry_id not in found or (published_at is not None and published_at <= moment):
            found[entry_id] = title
    return found
