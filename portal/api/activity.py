"""What happened to public data sets, as CKAN's activity streams: what the change log also shows."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from sqlalchemy import select

from portal.api.action import Action, Call
from portal.api.inputs import ById, Count, Input
from portal.api.packages import readable_entry
from portal.codes import code_list
from portal.errors import Forbidden, NotFound
from portal.models.account import Account
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.organisation import get_organisation
from portal.permissions import Permission
from portal.services.entry_changes import Change, list_changes
from portal.services.notices import count_unread, mark_read
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


def group_activity_list(call: Call, given: Stream) -> list[dict[str, Any]]:
    """Return the newest public change of each data set of a theme, the newest first."""
    if given.id not in code_list("themes"):
        raise NotFound("没有主题“{key}”。", key=given.id)
    of_theme = select(EntryVersion.id).where(EntryVersion.theme == given.id)
    return _newest(call, given, CatalogueEntry.published_version_id.in_(of_theme))


def activity_show(call: Call, given: ById) -> dict[str, Any]:
    """Return one public change by the id that a stream gave it."""
    public_id = given.id.rpartition("-")[0]
    entry = readable_entry(call, public_id or given.id)
    for change in list_changes(call.session, entry.id):
        found = _activity(entry, change)
        if found["id"] == given.id:
            return found
    raise NotFound("没有这条变更记录。")


def user_activity_list(call: Call, given: Stream) -> list[Any]:
    """Return nothing: public changes do not say who made them."""
    own = call.session.get_one(Account, call.actor.account_id)
    if given.id not in (own.username, own.public_id) and not call.may(Permission.ACCOUNT_MANAGE):
        raise Forbidden()
    return []


def dashboard_new_activities_count(call: Call, _given: Input) -> int:
    """Return how many notices the caller has not read."""
    return count_unread(call.session, call.actor.account_id or 0)


def dashboard_mark_activities_old(call: Call, _given: Input) -> None:
    """Mark the caller's notices as read."""
    mark_read(call.session, call.platform.clock, call.actor.account_id or 0)


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
    Action("group_activity_list", Access.PUBLIC, group_activity_list, Stream),
    Action("user_activity_list", Access.READ, user_activity_list, Stream),
    Action("activity_show", Access.PUBLIC, activity_show, ById),
    Action("dashboard_new_activities_count", Access.READ, dashboard_new_activities_count),
    Action("dashboard_mark_activities_old", Access.WRITE, dashboard_mark_activities_old),
    Action("dashboard_activity_list", Access.READ, dashboard_activity_list, WholeStream),
    Action(
        "recently_changed_packages_activity_list",
        Access.PUBLIC,
        recently_changed_packages_activity_list,
        WholeStream,
    ),
)
