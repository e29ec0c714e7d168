"""Following, as CKAN's Action API names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import Field

from extensions.participation.api.following_topics import TOPIC_ACTIONS, followed_topics
from extensions.participation.models.follow import count_followers, find_follow
from extensions.participation.services.follows import follow_entry, list_follows, unfollow_entry
from portal.api.action import Action, Call
from portal.api.inputs import LONGEST_KEY, ById, Input
from portal.errors import Forbidden, Invalid, NotFound
from portal.models.account import get_account
from portal.models.entry import CatalogueEntry, get_entry
from portal.permissions import Permission
from portal.web.access import Access


def _entry(call: Call, key: str) -> CatalogueEntry:
    """Return the public entry; a hidden one is answered as one that is not there."""
    entry = get_entry(call.session, key)
    if not call.may(Permission.ENTRY_READ, entry):
        raise NotFound("没有代码或名称为“{key}”的数据。", key=key)
    return entry


def follow_dataset(call: Call, given: ById) -> dict[str, Any]:
    """Follow a data set."""
    entry = _entry(call, given.id)
    if find_follow(call.session, call.actor.account_id, entry.id) is not None:
        raise Invalid.one("id", "following", "您已经关注了这项数据。")
    found = follow_entry(call.session, call.platform.clock, call.actor, entry)
    return {
        "follower_id": found.account_id,
        "object_id": entry.public_id,
        "datetime": found.followed_at.isoformat(),
    }


def unfollow_dataset(call: Call, given: ById) -> None:
    """Stop following a data set."""
    if not unfollow_entry(call.session, call.actor, _entry(call, given.id)):
        raise NotFound("您没有关注这项数据。")


def am_following_dataset(call: Call, given: ById) -> bool:
    """Say whether the caller follows a data set."""
    entry = _entry(call, given.id)
    return find_follow(call.session, call.actor.account_id, entry.id) is not None


def dataset_follower_count(call: Call, given: ById) -> int:
    """Return how many accounts follow a data set."""
    return count_followers(call.session, _entry(call, given.id).id)


class Followees(Input):
    id: str = Field(default="", max_length=LONGEST_KEY)
    q: str = Field(default="", max_length=100)


def followee_list(call: Call, given: Followees) -> list[dict[str, Any]]:
    """Return what the caller follows; what others follow is theirs."""
    account_id = call.actor.account_id
    if given.id and get_account(call.session, given.id).id != account_id:
        raise Forbidden()
    assert account_id is not None  # the action is for accounts
    found = []
    for follow in list_follows(call.session, account_id):
        entry = follow.entry
        version = entry.published_version
        if version is None or not call.may(Permission.ENTRY_READ, entry):
            continue
        if given.q.casefold() in version.title.casefold():
            shown = {"id": entry.public_id, "name": entry.slug, "title": version.title}
            found.append({"type": "dataset", "display_name": version.title, "dict": shown})
    return [*found, *followed_topics(call, given.q.casefold())]


def dataset_followee_list(call: Call, given: Followees) -> list[dict[str, Any]]:
    """Return the data sets that the caller follows."""
    return [one["dict"] for one in followee_list(call, given) if one["type"] == "dataset"]


def followee_count(call: Call, given: Followees) -> int:
    """Return how many data sets, organisations and themes the caller follows."""
    return len(followee_list(call, given))


def _count_of(kind: str) -> Callable[[Call, Followees], int]:
    def count(call: Call, given: Followees) -> int:
        """Return how many of this kind the caller follows; nobody follows accounts."""
        return sum(1 for one in followee_list(call, given) if one["type"] == kind)

    return count


ACTIONS = (
    Action("dataset_followee_list", Access.READ, dataset_followee_list, Followees),
    Action("followee_count", Access.READ, followee_count, Followees),
    *(
        Action(f"{kind}_followee_count", Access.READ, _count_of(kind), Followees)
        for kind in ("dataset", "organization", "group", "user")
    ),
    Action("follow_dataset", Access.WRITE, follow_dataset, ById),
    Action("unfollow_dataset", Access.WRITE, unfollow_dataset, ById),
    Action("am_following_dataset", Access.READ, am_following_dataset, ById),
    Action("dataset_follower_count", Access.PUBLIC, dataset_follower_count, ById),
    Action("followee_list", Access.READ, followee_list, Followees),
    *TOPIC_ACTIONS,
)
