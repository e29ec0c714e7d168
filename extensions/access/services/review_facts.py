"""What a reviewer, and an applicant, may compare a request with: grants that stand already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from extensions.access.models.application import GRANTED, LIVE, AccessApplication
from extensions.access.models.use_report import UseReport
from extensions.access.rules import is_sensitive
from portal.rules.entry_content import InformationItem

SIMILAR_SHOWN = 5


@dataclass(frozen=True)
class Difference:
    """What approving as asked would change. Fields by name; calls a day; `holders` live grants."""

    held: AccessApplication | None  # the applicant's grant of this interface, if there is one
    new_fields: tuple[str, ...]
    new_sensitive: tuple[str, ...]
    quota_before: int
    quota_after: int
    holders: int
    total_before: int
    total_after: int


@dataclass(frozen=True)
class GrantedUse:
    """A grant as others may see it: no name, no purpose but a published one."""

    kind: str
    fields: tuple[str, ...]
    quota_day: int
    days: int
    approved_on: date
    title: str = ""  # of its public use, and the address
    url: str = ""


def difference_of(
    session: Session, application: AccessApplication, items: Mapping[str, InformationItem]
) -> Difference:
    """Compare what is asked with what the applicant and everybody hold of the interface."""
    live = list(
        session.scalars(
            select(AccessApplication).where(
                AccessApplication.interface_id == application.interface_id,
                AccessApplication.state.in_(LIVE),
                AccessApplication.id != application.id,
            )
        )
    )
    held = next((one for one in live if one.applicant_id == application.applicant_id), None)
    before = frozenset(held.granted_fields) if held else frozenset()
    new = tuple(name for name in application.fields if name not in before)
    sensitive = tuple(name for name in new if name in items and is_sensitive(items[name]))
    total = sum(one.quota_day or 0 for one in live)
    quota_before = (held.quota_day or 0) if held else 0
    asked = application.volume_a_day or 0
    return Difference(
        held=held,
        new_fields=tuple(items[name].name if name in items else name for name in new),
        new_sensitive=tuple(items[name].name for name in sensitive),
        quota_before=quota_before,
        quota_after=asked,
        holders=len(live),
        total_before=total,
        total_after=total - quota_before + asked,
    )


def similar_uses(session: Session, interface_id: int) -> list[GrantedUse]:
    """Return what was granted of the interface before, the newest first; nobody is named."""
    query = (
        select(AccessApplication)
        .where(
            AccessApplication.interface_id == interface_id,
            AccessApplication.state.in_((*GRANTED, "expired")),
            AccessApplication.approved_at.is_not(None),
        )
        .order_by(AccessApplication.approved_at.desc())
        .limit(SIMILAR_SHOWN)
    )
    found = list(session.scalars(query))
    published = _published(session, [one.id for one in found])
    return [_seen(one, published.get(one.id)) for one in found]


def _seen(grant: AccessApplication, public: Mapping[str, str] | None) -> GrantedUse:
    assert grant.approved_at is not None
    approved_on = grant.approved_at.date()
    return GrantedUse(
        kind=grant.applicant.applicant_kind,
        fields=tuple(grant.granted_fields),
        quota_day=grant.quota_day or 0,
        days=(grant.valid_until - approved_on).days if grant.valid_until else 0,
        approved_on=approved_on,
        title=public["title"] if public else "",
        url=public["url"] if public else "",
    )


def _published(session: Session, ids: list[int]) -> dict[int, Mapping[str, str]]:
    newest = (
        select(func.max(UseReport.id))
        .where(UseReport.application_id.in_(ids))
        .group_by(UseReport.application_id)
    )
    reports = session.scalars(select(UseReport).where(UseReport.id.in_(newest)))
    return {one.application_id: one.public for one in reports if one.public}
