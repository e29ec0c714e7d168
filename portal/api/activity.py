"""What happened to public data sets, as CKAN's activity streams: what the change log also shows."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from sqlalchemy import select

from portal.api.action import Action, Call
from portal.api.inputs import ById, Count, Input
from portal.api.packages import readable_entry
from portal.models.entry import CatalogueEntry
from portal.models.organisation import get_organisation
from portal.services.entry_changes import Change, list_changes
from portal.services.public_entries import IS_PUBLIC
from portal.services.resource_document import naive_utc
from portal.web.access import Access

MOST = 100


class Stream(ById):
    limit: Count = 31
    offset: Count = 0


class WholeStream(Input):
    limit: Count = 31
    offset: Count = 0
    q: str = Field(default="", max_length=200)


def _activity(entry: CatalogueEntry, change: Change) -> dict[str, Any]:
    kind = "new package" if change.version == 1 else "changed package"
    return {
        "id": f"{entry.public_id}-{change.at.timestamp():.6f}",
        "timestamp": naive_utc(change.at),
        "user_id": None,
        "object_id": entry.public_id,
        "activity_type": kind,
        "data": {"title": change.text, "detail": change.detail, "version": change.version},
    }


def package_activity_list(call: Call, given: Stream) -> list[dict[str, Any]]:
    """Return the public changes of a data set, the newest first; without who made them."""
    entry = readable_entry(call, given.id)
    changes = list_changes(call.session, entry.id)
    page = changes[given.offset : given.offset + min(given.limit, MOST)]
    return [_activity(entry, change) for change in page]


def organization_activity_list(call: Call, given: Stream) -> list[dict[str, Any]]:
    """Return the newest public change of each of an organisation's data sets, the newest first."""
    place = get_organisation(call.session, given.id)
    return _newest(call, given, CatalogueEntry.provider_id == place.id)


def recently_changed_packages_activity_list(call: Call, given: WholeStream) -> list[dict[str, Any]]:
    """Return the newest public change of each data set, the newest first."""
    return _newest(call, given)


def dashboard_activity_list(call: Call, given: WholeStream) -> list[dict[str, Any]]:
    """Return the newest public change of each data set of the caller's organisations."""
    return _newest(call, given, CatalogueEntry.provider_id.in_(call.actor.organisation_ids))


def _newest(call: Call, given: Any, *conditions: Any) -> list[dict[str, Any]]:
    entries = call.session.scalars(
        select(CatalogueEntry)
        .where(*IS_PUBLIC, *conditions)
        .order_by(CatalogueEntry.metadata_modified_at.desc(), CatalogueEntry.id.desc())
        .offset(given.offset)
        .limit(min(given.limit, MOST))
    )
    return [
        _activity(entry, changes[0])
        for entry in entries
        if (changes := list_changes(call.session, entry.id))
    ]


ACTIONS = (
    Action("package_activity_list", Access.PUBLIC, package_activity_list, Stream),
    Action("organization_activity_list", Access.PUBLIC, organization_activity_list, Stream),
    Action("dashboard_activity_list", Access.READ, dashboard_activity_list, WholeStream),
    Action(
        "recently_changed_packages_activity_list",
        Access.PUBLIC,
        recently_changed_packages_activity_list,
        WholeStream,
    ),
)
