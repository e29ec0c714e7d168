"""Organisations as CKAN's organizations."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import AliasChoices, Field
from sqlalchemy import ColumnElement, select

from portal.api.action import Action, Call
from portal.api.inputs import LONGEST_KEY, Count, Flag, Input, TextList
from portal.errors import Invalid
from portal.models.entry import CatalogueEntry
from portal.models.organisation import AGENCY, Organisation, get_organisation
from portal.permissions import Permission
from portal.services.kept_packages import kept_packages
from portal.services.organisations import (
    change_organisation,
    count_published,
    create_organisation,
    delete_organisation,
    list_organisations,
)
from portal.services.package_document import package_organization, with_site
from portal.services.provider_finder import SLUG
from portal.services.public_entries import IS_PUBLIC
from portal.web.access import Access


class Listing(Input):
    all_fields: Flag = False
    sort: str = Field(default="title asc", max_length=100)
    order_by: str = Field(default="", max_length=100)
    limit: Count | None = None
    offset: Count = 0
    organizations: TextList = Field(default_factory=list)
    groups: TextList = Field(default_factory=list)


def organization_dict(organisation: Organisation, package_count: int) -> dict[str, Any]:
    return {
        **package_organization(organisation),
        "display_name": organisation.name,
        "image_display_url": "",
        "num_followers": 0,
        "package_count": package_count,
        "jl_code": organisation.code,
        "jl_region": organisation.region_code,
    }


def sorted_page(found: list[dict[str, Any]], given: Listing) -> list[dict[str, Any]]:
    """Return the part asked for, in order. Raises: Invalid for an unknown order."""
    field, _, direction = (given.order_by or given.sort or "title asc").strip().partition(" ")
    keys = {"package_count": "package_count", "packages": "package_count"}
    key = keys.get(field, field)
    if key not in ("name", "title", "package_count") or direction not in ("", "asc", "desc"):
        raise Invalid.one("sort", "unknown", "不能按“{value}”排序。", value=given.sort)
    ordered = sorted(found, key=lambda one: (one[key], one["name"]), reverse=direction == "desc")
    end = None if given.limit is None else given.offset + given.limit
    return ordered[given.offset : end]


def organization_list(call: Call, given: Listing) -> list[Any]:
    """Return the organisations' names; all_fields: what is known of them, with their counts."""
    counts = count_published(call.session)
    found = [
        organization_dict(one, counts.get(one.id, 0))
        for one in list_organisations(call.session)
        if not given.organizations or {one.slug, one.public_id, one.code} & {*given.organizations}
    ]
    page = sorted_page(found, given)
    return page if given.all_fields else [one["name"] for one in page]


class OrganizationShow(Input):
    id: str = Field(min_length=1, max_length=LONGEST_KEY)
    include_datasets: Flag = False


def organization_show(call: Call, given: OrganizationShow) -> dict[str, Any]:
    """Return an organisation by its id, name or code.

    include_datasets: with its public data sets (at most 1000) as `packages`.
    """
    place = get_organisation(call.session, given.id)
    shown = _shown(call, place)
    if given.include_datasets:
        shown["packages"] = public_packages(call, CatalogueEntry.provider_id == place.id)
    return shown


PACKAGES_MOST = 1000


def public_packages(call: Call, *conditions: ColumnElement[bool]) -> list[dict[str, Any]]:
    """Return the public data sets for which the conditions on their entry hold, newest first."""
    ids = call.session.scalars(
        select(CatalogueEntry.id)
        .where(*IS_PUBLIC, *conditions)
        .order_by(CatalogueEntry.metadata_modified_at.desc(), CatalogueEntry.id.desc())
        .limit(PACKAGES_MOST)
    )
    site = call.platform.settings.site_url
    found = kept_packages(call.session, ids.all()).values()
    return [orjson.loads(with_site(one, site)) for one in found]


def _shown(call: Call, organisation: Organisation) -> dict[str, Any]:
    counts = count_published(call.session)
    return {
        **organization_dict(organisation, counts.get(organisation.id, 0)),
        "users": [],
        "extras": [],
        "groups": [],
        "tags": [],
    }


class OrganizationCreate(Input):
    name: str = Field(min_length=2, max_length=100)
    title: str = Field(default="", max_length=200)
    description: str = Field(default="", max_length=2000)
    id: str = Field(default="", max_length=36)
    jl_code: str = Field(default="", max_length=40)
    jl_region: str = "220000"


def organization_create(call: Call, given: OrganizationCreate) -> dict[str, Any]:
    """Make an organisation (a Bureau administrator)."""
    if not SLUG.fullmatch(given.name):
        raise Invalid.one(
            "name", "pattern", "“{field}”只能由小写字母、数字、连字符和下划线组成。", field="name"
        )
    organisation = create_organisation(
        call.session,
        call.platform.clock,
        call.actor,
        slug=given.name,
        name=given.title or given.name,
        kind=AGENCY,
        region_code=given.jl_region,
        description=given.description,
        code=given.jl_code,
    )
    if given.id:
        organisation.public_id = given.id
        call.session.flush()
    return _shown(call, organisation)


class OrganizationChange(Input):
    id: str = Field(
        min_length=1, max_length=LONGEST_KEY, validation_alias=AliasChoices("id", "name")
    )
    title: str | None = Field(default=None, max_length=200)
    description: str | None = Field(default=None, max_length=2000)
    jl_region: str | None = None


def organization_patch(call: Call, given: OrganizationChange) -> dict[str, Any]:
    """Change title, description or jl_region of an organisation (a Bureau administrator)."""
    place = get_organisation(call.session, given.id)
    change_organisation(
        call.session,
        call.platform.clock,
        call.actor,
        place,
        name=given.title,
        description=given.description,
        region_code=given.jl_region,
    )
    call.session.flush()
    return _shown(call, place)


def organization_update(call: Call, given: OrganizationChange) -> dict[str, Any]:
    """Replace what is said of an organisation: what is not sent is emptied (not its title)."""
    return organization_patch(
        call, given.model_copy(update={"description": given.description or ""})
    )


def organization_delete(call: Call, given: OrganizationShow) -> None:
    """Delete an organisation that has neither data sets nor accounts (a Bureau administrator)."""
    place = get_organisation(call.session, given.id)
    delete_organisation(call.session, call.platform.clock, call.actor, place)


def organization_list_for_user(call: Call, _given: Input) -> list[dict[str, Any]]:
    """Return the organisations that the caller works for; all of them for a Bureau administrator."""
    counts = count_published(call.session)
    everywhere = call.may(Permission.ORGANISATION_MANAGE)
    own = call.actor.organisation_ids
    return [
        {**organization_dict(one, counts.get(one.id, 0)), "capacity": _capacity(call, one)}
        for one in list_organisations(call.session)
        if everywhere or one.id in own
    ]


def _capacity(call: Call, organisation: Organisation) -> str:
    if call.may(Permission.ORGANISATION_MANAGE):
        return "admin"
    return "editor" if organisation.id in call.actor.acts_for("agency") else "member"


ACTIONS = (
    Action("organization_list", Access.PUBLIC, organization_list, Listing),
    Action("organization_show", Access.PUBLIC, organization_show, OrganizationShow),
    Action(
        "organization_create",
        Access.WRITE,
        organization_create,
        OrganizationCreate,
        Permission.ORGANISATION_MANAGE,
    ),
    *(
        Action(name, Access.WRITE, handler, schema, Permission.ORGANISATION_MANAGE)
        for name, handler, schema in (
            ("organization_update", organization_update, OrganizationChange),
            ("organization_patch", organization_patch, OrganizationChange),
            ("organization_delete", organization_delete, OrganizationShow),
            ("organization_purge", organization_delete, OrganizationShow),
        )
    ),
    Action("organization_list_for_user", Access.PUBLIC, organization_list_for_user, Input),
)
