"""Who may see and decide what the scan found, and who may read quality reports at work."""

from __future__ import annotations

from enum import StrEnum

from portal.actor import Actor
from portal.models.entry import CatalogueEntry
from portal.permissions import (
    Rules,
    acts_for_responsible_dept,
    is_auditor,
    is_bureau,
    is_of_same_organisation,
)


class QualityPermission(StrEnum):
    SENSITIVE_READ = "sensitive:read"
    SENSITIVE_DECIDE = "sensitive:decide"
    QUALITY_READ = "quality:read"
    QUALITY_RECHECK = "quality:recheck"


def is_security_officer(actor: Actor, entry: CatalogueEntry) -> bool:
    return entry.provider_id in actor.acts_for("agency_security_officer")


def acts_for_agency(actor: Actor, entry: CatalogueEntry) -> bool:
    return entry.provider_id in actor.acts_for("agency")


RULES: Rules = {
    QualityPermission.SENSITIVE_READ: [[is_of_same_organisation], [is_bureau], [is_auditor]],
    QualityPermission.SENSITIVE_DECIDE: [
        [is_security_officer],
        [acts_for_responsible_dept],
        [is_bureau],
    ],
    QualityPermission.QUALITY_READ: [[is_of_same_organisation], [is_bureau], [is_auditor]],
    QualityPermission.QUALITY_RECHECK: [
        [acts_for_agency],
        [acts_for_responsible_dept],
        [is_bureau],
    ],
}
