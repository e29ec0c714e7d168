"""Themes as CKAN's groups, and keywords as its tags. Counts equal what filtering returns."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import AliasChoices, Field

from portal.actor import ANONYMOUS
from portal.api.action import Action, Call
from portal.api.inputs import LONGEST_KEY, Count, Flag, Input
from portal.api.organizations import Listing, sorted_page
from portal.codes import code_list
from portal.errors import Forbidden, Invalid, NotFound
from portal.services.kept_packages import kept_packages
from portal.services.package_document import group_dict, with_site
from portal.services.search import search_catalogue
from portal.web.access import Access
from search.request import FacetAsk, SearchRequest

MOST = 100_000


def _counts(call: Call, facet: str) -> dict[str, int]:
    asked = SearchRequest(rows=0, facets=(FacetAsk(facet, MOST),))
    found = search_catalogue(call.session, call.platform.engine, asked, ANONYMOUS)
    return {one.code: one.count for one in found.facets[facet]}


def _group(code: str, count: int) -> dict[str, Any]:
    return {
        **group_dict(code),
        "approval_status": "approved",
        "created": "2026-01-01T00:00:00.000000",
        "image_url": "",
        "is_organization": False,
        "num_followers": 0,
        "package_count": count,
        "state": "active",
        "type": "group",
    }


def group_list(call: Call, given: Listing) -> list[Any]:
    """Return the themes' codes; all_fields: with their names and counts."""
    wanted = [c.code for c in code_list("themes") if not given.groups or c.code in given.groups]
    counts = _counts(call, "theme") if given.all_fields else {}
    page = sorted_page([_group(code, counts.get(code, 0)) for code in wanted], given)
    return page if given.all_fields else [one["name"] for one in page]


class GroupShow(Input):
    id: str = Field(min_length=1, max_length=LONGEST_KEY)


class GroupAsked(GroupShow):
    include_datasets: Flag = False


def group_show(call: Call, given: GroupAsked) -> dict[str, Any]:
    """Return a theme by its code.

    include_datasets: with its public data sets (at most 1000) as `packages`.
    """
    if given.id not in code_list("themes"):
        raise NotFound("没有主题“{key}”。", key=given.id)
    count = _counts(call, "theme").get(given.id, 0)
    shown = {**_group(given.id, count), "users": [], "extras": [], "groups": [], "tags": []}
    if given.include_datasets:
        shown["packages"] = _packages(call, "theme", given.id, MOST_PACKAGES)
    return shown


MOST_PACKAGES = 1000


def _packages(call: Call, facet: str, code: str, most: int) -> list[Any]:
    """Return the public data sets of a theme or keyword, the most useful first."""
    asked = SearchRequest(rows=min(most, MOST_PACKAGES), filters={facet: (code,)})
    found = search_catalogue(call.session, call.platform.engine, asked, ANONYMOUS)
    packages = kept_packages(call.session, [hit.id for hit in found.hits])
    site = call.platform.settings.site_url
    return [orjson.loads(with_site(one, site)) for one in packages.values()]


class GroupWrite(Input):
    id: str = Field(default="", max_length=LONGEST_KEY)
    name: str = Field(default="", max_length=LONGEST_KEY)


def group_create(_call: Call, given: GroupWrite) -> None:
    """Refuse: themes are a list of the province's standard, which no call changes."""
    if given.name in code_list("themes"):
        raise Invalid.one("name", "taken", "主题“{key}”已经存在。", key=given.name)
    raise Forbidden("主题由标准规定，不能增减；可用的主题见 group_list。")


def group_update(_call: Call, given: GroupWrite) -> None:
    """Refuse, as group_create does; a theme that there is not is not found."""
    key = given.id or given.name
    if key not in code_list("themes"):
        raise NotFound("没有主题“{key}”。", key=key)
    raise Forbidden("主题由标准规定，不能更改；可用的主题见 group_list。")


def group_list_authz(_call: Call, _given: Input) -> list[Any]:
    """Return nothing: nobody edits themes."""
    return []


class GroupPackages(GroupShow):
    limit: Count = 100


def group_package_show(call: Call, given: GroupPackages) -> list[Any]:
    """Return the public data sets of a theme, the most useful first. limit (at most 1000)."""
    if given.id not in code_list("themes"):
        raise NotFound("没有主题“{key}”。", key=given.id)
    return _packages(call, "theme", given.id, given.limit)


class TagList(Input):
    query: str = Field(default="", max_length=LONGEST_KEY)
    all_fields: Flag = False
    limit: Count | None = None
    offset: Count = 0


def _tag(word: str) -> dict[str, Any]:
    return {"id": word, "name": word, "vocabulary_id": None, "display_name": word}


def tag_list(call: Call, given: TagList) -> list[Any]:
    """Return the keywords in use; query: only those that hold it."""
    asked = given.query.strip().lower()
    words = sorted(word for word in _counts(call, "tags") if asked in word.lower())
    end = None if given.limit is None else given.offset + given.limit
    page = words[given.offset : end]
    return [_tag(word) for word in page] if given.all_fields else page


class TagShow(Input):
    id: str = Field(min_length=1, max_length=LONGEST_KEY)
    include_datasets: Flag = False


def tag_show(call: Call, given: TagShow) -> dict[str, Any]:
    """Return a keyword that is in use; include_datasets: with its data sets as `packages`."""
    asked = SearchRequest(rows=0, filters={"tags": (given.id,)})
    if not search_catalogue(call.session, call.platform.engine, asked, ANONYMOUS).total:
        raise NotFound("没有关键词“{key}”。", key=given.id)
    if not given.include_datasets:
        return _tag(given.id)
    return {**_tag(given.id), "packages": _packages(call, "tags", given.id, MOST_PACKAGES)}


class TagTyped(Input):
    query: str = Field(
        default="", max_length=LONGEST_KEY, validation_alias=AliasChoices("query", "q")
    )
    limit: Count = 10
    offset: Count = 0


def tag_autocomplete(call: Call, given: TagTyped) -> list[str]:
    """Return keywords in use that hold what was typed. query, limit."""
    words = tag_list(call, TagList(query=given.query, limit=given.limit, offset=given.offset))
    return [str(word) for word in words]


def tag_search(call: Call, given: TagTyped) -> dict[str, Any]:
    """Return the keywords in use that hold the query, with their number. query, limit, offset."""
    words = tag_list(call, TagList(query=given.query))
    page = words[given.offset : given.offset + given.limit]
    return {"count": len(words), "results": [_tag(word) for word in page]}


ACTIONS = (
    Action("group_create", Access.WRITE, group_create, GroupWrite),
    Action("group_update", Access.WRITE, group_update, GroupWrite),
    Action("group_patch", Access.WRITE, group_update, GroupWrite),
    Action("group_delete", Access.WRITE, group_update, GroupWrite),
    Action("group_list_authz", Access.READ, group_list_authz),
    Action("group_package_show", Access.PUBLIC, group_package_show, GroupPackages),
    Action("tag_autocomplete", Access.PUBLIC, tag_autocomplete, TagTyped),
    Action("tag_search", Access.PUBLIC, tag_search, TagTyped),
    Action("group_list", Access.PUBLIC, group_list, Listing),
    Action("group_show", Access.PUBLIC, group_show, GroupAsked),
    Action("tag_list", Access.PUBLIC, tag_list, TagList),
    Action("tag_show", Access.PUBLIC, tag_show, TagShow),
)
