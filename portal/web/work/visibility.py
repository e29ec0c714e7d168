"""Who may open the work pages of an entry: its own people, the Bureau and the auditor.

Published metadata is public, but drafts, reviews and their history are not.
"""

from __future__ import annotations

from enum import StrEnum

from portal import permissions
from portal.actor import Actor
from portal.models.entry import CatalogueEntry, EntryVersion, get_entry, get_version
from portal.models.open_list import OpenListEntry
from portal.permissions import require
from portal.services.open_list import get_place
from portal.web.context import actor, session


class WorkPermission(StrEnum):
    ENTRY_WORK = "entry:work"


permissions.add_rules(
    {
        WorkPermission.ENTRY_WORK: [
            [permissions.is_of_same_organisation],
            [permissions.is_bureau],
            [permissions.is_auditor],
            [permissions.is_system],
        ]
    }
)


def may_work_on(reader: Actor, entry: CatalogueEntry) -> bool:
    return permissions.is_allowed(reader, WorkPermission.ENTRY_WORK, entry)


def version_for_work(version_id: int) -> EntryVersion:
    """Raises: NotFound; Forbidden for people of other organisations."""
    version = get_version(session(), version_id)
    require(actor(), WorkPermission.ENTRY_WORK, version.entry)
    return version


def entry_for_work(slug: str) -> CatalogueEntry:
    """Raises: NotFound; Forbidden for people of other organisations."""
    entry = get_entry(session(), slug)
    require(actor(), WorkPermission.ENTRY_WORK, entry)
    return entry


def place_for_work(place_id: int) -> OpenListEntry:
    """Raises: NotFound; Forbidden for people of other organisations."""
    place = get_place(session(), place_id)
    require(actor(), WorkPermission.ENTRY_WORK, place.entry)
    return place
