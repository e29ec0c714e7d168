"""Who may read an application (rule 8 of the Measures' flows: its parties, and the Bureau)."""

from __future__ import annotations

from enum import StrEnum

from extensions.access.models.application import AccessApplication
from portal.actor import Actor
from portal.permissions import Rules, has_staff_role, is_bureau, is_bureau_admin


class AccessPermission(StrEnum):
    APPLICATION_READ = "application:read"
    USE_READ = "interface_use:read"
    POLICY_READ = "access_policy:read"
    POLICY_WRITE = "access_policy:write"


def is_applicant(actor: Actor, application: AccessApplication) -> bool:
    return actor.account_id is not None and actor.account_id == application.applicant_id


def acts_for_its_agency(actor: Actor, application: AccessApplication) -> bool:
    """The providing agency sees an application once it was handed in."""
    agencies = actor.acts_for("agency")
    return application.submitted_at is not None and application.entry.provider_id in agencies


def is_bureau_and_submitted(actor: Actor, application: AccessApplication) -> bool:
    return application.submitted_at is not None and is_bureau(actor, application)


RULES: Rules = {
    AccessPermission.APPLICATION_READ: [
        [is_applicant],
        [acts_for_its_agency],
        [is_bureau_and_submitted],
    ],
    AccessPermission.USE_READ: [[has_staff_role]],  # of one's own agencies; the Bureau of all
    AccessPermission.POLICY_READ: [[has_staff_role]],
    AccessPermission.POLICY_WRITE: [[is_bureau_admin]],
}
