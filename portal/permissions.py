"""Who may do what is not an event of a flow.

Events stand in the transition tables and nothing here repeats them. A permission is granted
when every predicate of any one of its rows holds. Extensions add their own permissions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from portal.actor import Actor
from portal.errors import Forbidden, Unauthenticated
from portal.models.entry import CatalogueEntry
from portal.models.organisation import Organisation

Predicate = Callable[[Actor, Any], bool]
Rules = Mapping[StrEnum, Sequence[Sequence[Predicate]]]


MEMBER_ADMINISTRATORS = ("organisation_admin", "responsible_dept", "city_authority")


class Permission(StrEnum):
    ENTRY_READ = "entry:read"
    ENTRY_EDIT = "entry:edit"
    DISTRIBUTION_DOWNLOAD = "distribution:download"
    DISTRIBUTION_WRITE = "distribution:write"
    WORK_READ = "work:read"
    ACCOUNT_MANAGE = "account:manage"
    MEMBER_MANAGE = "member:manage"
    ORGANISATION_MANAGE = "organisation:manage"
    SOURCE_MANAGE = "source:manage"
    SOURCE_READ = "source:read"
    AUDIT_READ = "audit:read"
    OVERVIEW_READ = "overview:read"
    CATALOGUE_IMPORT = "catalogue:import"
    VALUE_CONFIRM = "value:confirm"
    ENTRY_REVIEW = "entry:review"
    SEARCHES_READ = "searches:read"
    CALENDAR_MANAGE = "calendar:manage"
    RESPONSIBILITY_MANAGE = "responsibility:manage"
    INSPECTION_MANAGE = "inspection:manage"
    PAGE_EDIT = "page:edit"
    SUPERVISION_READ = "supervision:read"


def is_signed_in(actor: Actor, _subject: Any) -> bool:
    return not actor.is_anonymous


def is_published(_actor: Actor, entry: CatalogueEntry) -> bool:
    return entry.is_public


def was_published(_actor: Actor, entry: CatalogueEntry) -> bool:
    return entry.published_version_id is not None


def is_of_same_organisation(actor: Actor, entry: CatalogueEntry) -> bool:
    own = actor.organisation_ids
    return entry.provider_id in own or entry.responsible_dept_id in own


def acts_for_provider(actor: Actor, entry: CatalogueEntry) -> bool:
    return entry.provider_id in actor.acts_for("agency")


def acts_for_responsible_dept(actor: Actor, entry: CatalogueEntry) -> bool:
    return entry.responsible_dept_id in actor.acts_for("responsible_dept")


def is_bureau(actor: Actor, _subject: Any) -> bool:
    return actor.is_kind("bureau")


def is_bureau_admin(actor: Actor, _subject: Any) -> bool:
    return actor.has_role("bureau_admin")


def owns_source(actor: Actor, source: Any) -> bool:
    """True for staff of the organisation whose catalogue is harvested."""
    return source is not None and source.organisation_id in actor.organisation_ids


def administers_organisation(actor: Actor, organisation: Organisation) -> bool:
    """The organisation's own administrator, or that of the department above it."""
    return bool(_administered(actor) & {organisation.id, organisation.parent_id})


def _administered(actor: Actor) -> set[int]:
    return {
        role.organisation_id
        for role in actor.own.roles
        if role.role in MEMBER_ADMINISTRATORS and role.organisation_id is not None
    }


def may_manage_members(actor: Actor) -> bool:
    """Say whether there is an organisation whose members the actor may see to."""
    return is_bureau_admin(actor, None) or bool(_administered(actor))


def is_auditor(actor: Actor, _subject: Any) -> bool:
    return actor.has_role("auditor")


def is_system(actor: Actor, _subject: Any) -> bool:
    return actor.is_system


def has_staff_role(actor: Actor, _subject: Any) -> bool:
    return bool(actor.organisation_ids)


def is_unconditional(_actor: Actor, entry: CatalogueEntry) -> bool:
    version = entry.published_version
    return version is not None and version.open_type == "unconditional"


_RULES: dict[StrEnum, Sequence[Sequence[Predicate]]] = {
    Permission.ENTRY_READ: [
        [is_published],
        [is_of_same_organisation],
        [is_bureau],
        [is_auditor],
        [is_system],
    ],
    Permission.ENTRY_EDIT: [
        [acts_for_provider],
        [acts_for_responsible_dept],
        [is_bureau_admin],
        [is_system],
    ],
    Permission.DISTRIBUTION_DOWNLOAD: [
        [is_published, is_unconditional],
        [is_of_same_organisation],
        [is_bureau],
        [is_system],
    ],
    Permission.DISTRIBUTION_WRITE: [
        [acts_for_provider],
        [acts_for_responsible_dept],
        [is_bureau_admin],
        [is_system],
    ],
    Permission.WORK_READ: [[has_staff_role]],
    Permission.ACCOUNT_MANAGE: [[is_bureau_admin]],
    Permission.MEMBER_MANAGE: [[is_bureau_admin], [administers_organisation]],
    Permission.ORGANISATION_MANAGE: [[is_bureau_admin]],
    Permission.SOURCE_MANAGE: [[is_bureau_admin], [is_system]],
    Permission.SOURCE_READ: [[is_bureau_admin], [owns_source], [is_system]],
    Permission.AUDIT_READ: [[is_bureau], [is_auditor]],
    Permission.OVERVIEW_READ: [[is_bureau], [is_auditor]],
    Permission.CATALOGUE_IMPORT: [[is_bureau_admin], [is_system]],
    Permission.VALUE_CONFIRM: [[is_bureau]],
    Permission.ENTRY_REVIEW: [[is_bureau]],
    Permission.SEARCHES_READ: [[is_bureau]],
    Permission.CALENDAR_MANAGE: [[is_bureau_admin], [is_system]],
    Permission.RESPONSIBILITY_MANAGE: [[is_bureau_admin], [is_system]],
    Permission.INSPECTION_MANAGE: [[is_bureau]],
    Permission.PAGE_EDIT: [[is_bureau_admin]],
    Permission.SUPERVISION_READ: [[is_bureau], [is_auditor]],
}


def add_rules(rules: Rules) -> None:
    """Add an extension's permissions. A permission stands once."""
    for permission, rows in rules.items():
        if permission in _RULES and _RULES[permission] != rows:
            raise ValueError(f"the permission {permission} has rules already")
        _RULES[permission] = rows


def all_rules() -> Rules:
    return dict(_RULES)


def is_allowed(actor: Actor, permission: StrEnum, subject: Any = None) -> bool:
    return any(all(holds(actor, subject) for holds in row) for row in _RULES[permission])


def require(actor: Actor, permission: StrEnum, subject: Any = None) -> None:
    """Raises: Unauthenticated for a visitor, Forbidden for everybody else without the right."""
    if not is_allowed(actor, permission, subject):
        raise Unauthenticated() if actor.is_anonymous else Forbidden()
