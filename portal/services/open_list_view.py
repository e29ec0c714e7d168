"""An agency's open list (数据开放清单) as the public reads it: numbered, paged, downloadable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.open_list import OpenListEntry, OpenListRelease

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


@dataclass(frozen=True)
class Release:
    number: int
    released_at: datetime
    change: str
    title: str


def count_listed(session: Session, organisation_id: int) -> int:
    query = (
        select(func.count(OpenListEntry.id))
        .join(CatalogueEntry, CatalogueEntry.id == OpenListEntry.entry_id)
        .where(*_conditions(organisation_id))
    )
    return session.scalar(query) or 0


def list_listed(
    session: Session, organisation_id: int, *, start: int = 0, rows: int | None = None
) -> list[ListedEntry]:
    """Return the entries on the list, by code."""
    query = _listed(organisation_id).offset(start)
    if rows is not None:
        query = query.limit(rows)
    return [ListedEntry(*row) for row in session.execute(query)]


def walk_listed(session: Session, organisation_id: int) -> Iterator[ListedEntry]:
    """Yield the whole list without holding it."""
    for row in session.execute(_listed(organisation_id).execution_options(yield_per=500)):
        yield ListedEntry(*row)


def _conditions(organisation_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        CatalogueEntry.provider_id == organisation_id,
        CatalogueEntry.published_version_id.is_not(None),
        CatalogueEntry.retired_at.is_(None),
        OpenListEntry.state.in_(LISTED),
    )


def _listed(organisation_id: int) -> Any:
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
        )
        .join(CatalogueEntry, CatalogueEntry.id == OpenListEntry.entry_id)
        .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .where(*_conditions(organisation_id))
        .order_by(CatalogueEntry.code)
    )


def list_releases(session: Session, organisation_id: int) -> list[Release]:
    """Return the newest numbered versions of the list, with what each changed."""
    query = (
        select(
            OpenListRelease.number,
            OpenListRelease.released_at,
            OpenListRelease.change,
            EntryVersion.title,
        )
        .join(CatalogueEntry, CatalogueEntry.id == OpenListRelease.entry_id)
        .outerjoin(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
        .where(OpenListRelease.organisation_id == organisation_id)
        .order_by(OpenListRelease.number.desc())
        .limit(RELEASES_SHOWN)
    )
    return [Release(*row) for row in session.execute(query)]
