"""Short lists that clients ask for: autocompletion, members, vocabularies, what does not exist here."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import AliasChoices, Field
from sqlalchemy import ColumnElement, func, or_, select

from portal.api.action import Action, Call
from portal.api.inputs import LONGEST_KEY, ById, Count, Input
from portal.api.packages import readable_entry
from portal.codes import code_list
from portal.errors import Forbidden, Invalid, NotFound, Unauthenticated
from portal.models.account import Account, Membership
from portal.models.distribution import Distribution
from portal.models.entry import CatalogueEntry
from portal.models.organisation import Organisation, get_organisation
from portal.permissions import Permission
from portal.services.kept_packages import kept_packages
from portal.services.package_document import with_site
from portal.services.public_entries import IS_PUBLIC
from portal.services.resource_document import SITE, resource_dict
from portal.web.access import Access

MOST = 1000


class Typed(Input):
    q: str = Field(default="", max_length=LONGEST_KEY)
    limit: Count = 20


def organization_autocomplete(call: Call, given: Typed) -> list[dict[str, str]]:
    """Return the organisations whose name, short name or code holds what was typed."""
    like = f"%{_escaped(given.q)}%"
    columns = (Organisation.name, Organisation.short_name, Organisation.slug)
    rows = call.session.scalars(
        select(Organisation)
        .where(or_(*(column.ilike(like, escape="\\") for column in columns)))
        .order_by(Organisation.id)
        .limit(min(given.limit, MOST))
    )
    return [{"id": one.public_id, "name": one.slug, "title": one.name} for one in rows]


def _escaped(text: str) -> str:
    """Return the text with LIKE's own characters taken literally."""
    return "".join("\\" + c if c in "\\%_" else c for c in text.strip())


def group_autocomplete(_call: Call, given: Typed) -> list[dict[str, str]]:
    """Return the themes whose name or code holds what was typed."""
    asked = given.q.strip().lower()
    found = [
        {"id": one.code, "name": one.code, "title": one.name}
        for one in code_list("themes")
        if asked in one.code.lower() or asked in one.name or asked in one.name_en.lower()
    ]
    return found[: given.limit]


def format_autocomplete(_call: Call, given: Typed) -> list[str]:
    """Return the formats whose name begins as typed."""
    asked = given.q.strip().lower()
    return [c.name for c in code_list("formats") if c.code.startswith(asked)][: given.limit]


class CurrentPackages(Input):
    limit: Count = 10
    offset: Count = Field(default=0, validation_alias=AliasChoices("offset", "start"))


def current_package_list_with_resources(call: Call, given: CurrentPackages) -> list[Any]:
    """Return whole data sets, the newest change first. limit (at most 1000), offset."""
    ids = call.session.scalars(
        select(CatalogueEntry.id)
        .where(*IS_PUBLIC)
        .order_by(CatalogueEntry.metadata_modified_at.desc(), CatalogueEntry.id.desc())
        .offset(given.offset)
        .limit(min(given.limit, MOST))
    )
    site = call.platform.settings.site_url
    packages = kept_packages(call.session, ids.all()).values()
    return [orjson.loads(with_site(one, site)) for one in packages]


def package_relationships_list(call: Call, given: ById) -> list[Any]:
    """Return nothing: related data sets stand in `related_resource` of a package's extras."""
    readable_entry(call, given.id)
    return []


def resource_view_list(call: Call, given: ById) -> list[Any]:
    """Return nothing: each table has one view, on the data set's page."""
    _readable_resource(call, given.id)
    return []


def _readable_resource(call: Call, public_id: str) -> Distribution:
    found = call.session.scalars(
        select(Distribution).where(
            Distribution.public_id == public_id, Distribution.deleted_at.is_(None)
        )
    ).first()
    if found is None:
        raise NotFound("没有编号为“{key}”的数据文件。", key=public_id)
    readable_entry(call, found.entry.public_id)
    return found


class ResourceSearch(Input):
    query: str | list[str] = Field(max_length=500)
    order_by: str = Field(default="", max_length=40)
    limit: Count = 100
    offset: Count = 0


_SEARCHED = {
    "name": Distribution.name,
    "description": Distribution.description,
    "url": Distribution.url,
    "format": Distribution.format,
    "id": Distribution.public_id,
}


def resource_search(call: Call, given: ResourceSearch) -> dict[str, Any]:
    """Search the resources of public data sets.

    query: "field:term", one or several (all must hold); fields are name, description, url, format
    and id. limit (at most 1000), offset.
    """
    terms = [given.query] if isinstance(given.query, str) else given.query
    conditions = [
        *IS_PUBLIC,
        Distribution.deleted_at.is_(None),
        *(_condition(term) for term in terms),
    ]
    query = select(Distribution).join(CatalogueEntry, CatalogueEntry.id == Distribution.entry_id)
    count = call.session.scalar(
        select(func.count(Distribution.id))
        .join(CatalogueEntry, CatalogueEntry.id == Distribution.entry_id)
        .where(*conditions)
    )
    found = call.session.scalars(
        query.where(*conditions)
        .order_by(Distribution.id)
        .offset(given.offset)
        .limit(min(given.limit, MOST))
    )
    site = call.platform.settings.site_url.rstrip("/")
    results = [resource_dict(one) for one in found.unique()]
    for one in results:
        one["url"] = str(one["url"]).replace(SITE, site)
    return {"count": count or 0, "results": results}


def _condition(term: str) -> ColumnElement[bool]:
    field, colon, words = term.partition(":")
    column = _SEARCHED.get(field.strip())
    if not colon or column is None:
        raise Invalid.one(
            "query",
            "field",
            "检索式应写成“字段:词”，字段为 {fields}。",
            fields="、".join(_SEARCHED),
        )
    return column.ilike(f"%{_escaped(words)}%", escape="\\")


class MemberList(ById):
    object_type: str = Field(default="", max_length=40)
    capacity: str = Field(default="", max_length=40)


def member_list(call: Call, given: MemberList) -> list[list[str]]:
    """Return (id, type, capacity) of the public data sets of an organisation; for a Bureau
    administrator also of its accounts."""
    place = get_organisation(call.session, given.id)
    members: list[list[str]] = []
    if given.object_type in ("", "package"):
        ids = call.session.scalars(
            select(CatalogueEntry.public_id)
            .where(*IS_PUBLIC, CatalogueEntry.provider_id == place.id)
            .order_by(CatalogueEntry.id)
        )
        members += [[one, "package", "public"] for one in ids]
    if given.object_type in ("", "user") and call.may(Permission.ACCOUNT_MANAGE):
        rows = call.session.execute(
            select(Account.public_id, Membership.role)
            .join(Membership, Membership.account_id == Account.id)
            .where(Membership.organisation_id == place.id)
            .order_by(Account.id)
        )
        members += [[public_id, "user", role] for public_id, role in rows]
    return [one for one in members if not given.capacity or one[2] == given.capacity]


class UserList(Input):
    q: str = Field(default="", max_length=LONGEST_KEY)
    limit: Count = 100


def user_list(call: Call, given: UserList) -> list[dict[str, Any]]:
    """Return the accounts (a Bureau administrator); nobody else learns of them."""
    if not call.may(Permission.ACCOUNT_MANAGE):
        raise Unauthenticated() if call.actor.is_anonymous else Forbidden()
    like = f"%{_escaped(given.q)}%"
    found = call.session.scalars(
        select(Account)
        .where(Account.username.ilike(like, escape="\\"))
        .order_by(Account.id)
        .limit(min(given.limit, MOST))
    )
    return [
        {
            "id": one.public_id,
            "name": one.username,
            "fullname": one.display_name,
            "display_name": one.display_name,
            "state": "deleted" if one.disabled else "active",
        }
        for one in found
    ]


def vocabulary_list(_call: Call, _given: Input) -> list[Any]:
    """Return nothing: keywords are free; themes and other lists are codes (`group_list`)."""
    return []


def vocabulary_show(_call: Call, given: ById) -> None:
    """Refuse: there are no vocabularies beside the codes."""
    raise NotFound("没有词表“{key}”。", key=given.id)


def config_option_list(call: Call, _given: Input) -> list[str]:
    """Refuse: the settings of the portal are nobody's business over the network."""
    raise Unauthenticated() if call.actor.is_anonymous else Forbidden()


ACTIONS = (
    Action("organization_autocomplete", Access.PUBLIC, organization_autocomplete, Typed),
    Action("group_autocomplete", Access.PUBLIC, group_autocomplete, Typed),
    Action("format_autocomplete", Access.PUBLIC, format_autocomplete, Typed),
    Action(
        "current_package_list_with_resources",
        Access.PUBLIC,
        current_package_list_with_resources,
        CurrentPackages,
    ),
    Action("package_relationships_list", Access.PUBLIC, package_relationships_list, ById),
    Action("resource_view_list", Access.PUBLIC, resource_view_list, ById),
    Action("resource_search", Access.PUBLIC, resource_search, ResourceSearch),
    Action("member_list", Access.PUBLIC, member_list, MemberList),
    Action("user_list", Access.READ, user_list, UserList),
    Action("vocabulary_list", Access.PUBLIC, vocabulary_list),
    Action("vocabulary_show", Access.PUBLIC, vocabulary_show, ById),
    Action("config_option_list", Access.READ, config_option_list),
)
