"""Organisations: loaded from the code lists, and made by the Bureau."""

from __future__ import annotations

import csv
from pathlib import Path

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.codes import code_list
from portal.errors import Conflict, Invalid
from portal.models.account import Membership
from portal.models.entry import CatalogueEntry
from portal.models.harvest import HarvestSource
from portal.models.organisation import (
    AGENCY,
    BUREAU,
    RESPONSIBLE_DEPT,
    Organisation,
    find_organisation,
)
from portal.permissions import Permission, require
from portal.services import audit
from portal.services.index_requests import request_index_of

FLOW = "organisation"
BUREAU_CODE = "JL-BUR"
SERIALS_FROM, SERIALS_TO = 100, 999
_KINDS_SKIPPED = ("public_utility_kind",)


def load_departments(session: Session, clock: Clock) -> int:
    """Make an organisation of every department of the code list that is not there yet."""
    made = 0
    for department in code_list("departments"):
        if department["kind"] in _KINDS_SKIPPED or find_organisation(session, department.code):
            continue
        session.add(
            Organisation(
                code=department.code,
                slug=department.code.lower(),
                name=department.name if department["name"] else department["short_name"],
                name_en=department["name_en"],
                short_name=department["short_name"],
                kind=_kind(department.code, department["measures_apply"]),
                by_analogy=department["measures_apply"] != "direct",
                region_code=department["region_code"],
                serial=department["serial"],
                default_theme=department["default_theme"],
                created_at=clock(),
            )
        )
        made += 1
    session.flush()
    return made


def _kind(code: str, measures_apply: str) -> str:
    if code == BUREAU_CODE:
        return BUREAU
    return RESPONSIBLE_DEPT if measures_apply == "direct" else AGENCY


def load_organisations(session: Session, clock: Clock, path: Path) -> int:
    """Make the further organisations of a CSV (code, name, short_name, kind, parent_code, region_code)."""
    made = 0
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if find_organisation(session, row["code"]) is None:
                _add(session, clock, row)
                made += 1
    return made


def _add(session: Session, clock: Clock, row: dict[str, str]) -> None:
    parent = find_organisation(session, row["parent_code"]) if row.get("parent_code") else None
    session.add(
        Organisation(
            code=row["code"],
            slug=row["code"].lower(),
            name=row["name"],
            short_name=row.get("short_name", ""),
            kind=row["kind"],
            parent_id=parent.id if parent else None,
            region_code=row["region_code"],
            serial=_next_serial(session),
            created_at=clock(),
        )
    )
    session.flush()


def create_organisation(
    session: Session,
    clock: Clock,
    actor: Actor,
    *,
    slug: str,
    name: str,
    kind: str = AGENCY,
    region_code: str = "220000",
    description: str = "",
    code: str = "",
) -> Organisation:
    """Make an organisation (a Bureau administrator).

    Raises:
        Invalid: the name or code is taken, or the region is unknown.
    """
    require(actor, Permission.ORGANISATION_MANAGE)
    if find_organisation(session, slug) or (code and find_organisation(session, code)):
        raise Invalid.one("name", "taken", "机构“{value}”已存在。", value=slug)
    if region_code not in code_list("regions"):
        raise Invalid.one("region_code", "unknown_code", "没有地区“{value}”。", value=region_code)
    organisation = Organisation(
        code=code or slug.upper(),
        slug=slug,
        name=name,
        kind=kind,
        region_code=region_code,
        description=description,
        serial=_next_serial(session),
        created_at=clock(),
    )
    session.add(organisation)
    session.flush()
    audit.record(
        session,
        clock,
        actor,
        flow=FLOW,
        event="create",
        subject_id=organisation.id,
        details={"code": organisation.code, "name": organisation.name, "kind": kind},
    )
    return organisation


def change_organisation(
    session: Session,
    clock: Clock,
    actor: Actor,
    organisation: Organisation,
    *,
    name: str | None = None,
    description: str | None = None,
    region_code: str | None = None,
) -> None:
    """Change what is said of an organisation (a Bureau administrator); None leaves a part alone.

    Its data sets show the name: they are indexed again.

    Raises:
        Invalid: no name, or the region is unknown.
    """
    require(actor, Permission.ORGANISATION_MANAGE)
    if name is not None and not name.strip():
        raise Invalid.one("title", "missing", "请填写机构名称。")
    if region_code is not None and region_code not in code_list("regions"):
        raise Invalid.one("region_code", "unknown_code", "没有地区“{value}”。", value=region_code)
    before = (organisation.name, organisation.description, organisation.region_code)
    organisation.name = name.strip() if name is not None else organisation.name
    if description is not None:
        organisation.description = description
    organisation.region_code = region_code or organisation.region_code
    if before == (organisation.name, organisation.description, organisation.region_code):
        return
    audit.record(
        session,
        clock,
        actor,
        flow=FLOW,
        event="change",
        subject_id=organisation.id,
        details={"before": list(before), "name": organisation.name},
    )
    request_index_of_entries(session, clock, organisation)


def request_index_of_entries(session: Session, clock: Clock, organisation: Organisation) -> None:
    """Index what shows the organisation's name: the entries it provides or answers for."""
    ids = session.scalars(
        select(CatalogueEntry.id).where(
            or_(
                CatalogueEntry.provider_id == organisation.id,
                CatalogueEntry.responsible_dept_id == organisation.id,
            )
        )
    )
    request_index_of(session, clock, dict.fromkeys(ids, 0))


def delete_organisation(
    session: Session, clock: Clock, actor: Actor, organisation: Organisation
) -> None:
    """Delete an organisation that nothing hangs on (a Bureau administrator).

    Raises:
        Conflict: it has data sets, accounts or subordinate organisations.
    """
    require(actor, Permission.ORGANISATION_MANAGE)
    held = (
        select(CatalogueEntry.id).where(
            (CatalogueEntry.provider_id == organisation.id)
            | (CatalogueEntry.responsible_dept_id == organisation.id)
        ),
        select(Membership.id).where(Membership.organisation_id == organisation.id),
        select(Organisation.id).where(Organisation.parent_id == organisation.id),
        select(HarvestSource.id).where(HarvestSource.organisation_id == organisation.id),
    )
    if any(session.scalar(query.limit(1)) is not None for query in held):
        raise Conflict(
            "“{name}”名下还有数据、账号、下级机构或采集来源，不能删除。", name=organisation.name
        )
    audit.record(
        session,
        clock,
        actor,
        flow=FLOW,
        event="delete",
        subject_id=organisation.id,
        details={"code": organisation.code, "name": organisation.name},
    )
    session.delete(organisation)
    session.flush()


def _next_serial(session: Session) -> str:
    """Return the next three-digit number. Raises Conflict once all are given."""
    highest = session.scalar(select(func.max(Organisation.serial))) or "000"
    following = max(int(highest) + 1, SERIALS_FROM)
    if following > SERIALS_TO:
        raise Conflict("机构序号已用完，请联系平台维护人员。")
    return f"{following:03d}"


def list_organisations(session: Session) -> list[Organisation]:
    return list(session.scalars(select(Organisation).order_by(Organisation.id)))


def count_published(session: Session) -> dict[int, int]:
    """Return organisation id -> number of published entries."""
    rows = session.execute(
        select(CatalogueEntry.provider_id, func.count(CatalogueEntry.id))
        .where(
            CatalogueEntry.published_version_id.is_not(None), CatalogueEntry.retired_at.is_(None)
        )
        .group_by(CatalogueEntry.provider_id)
    )
    return {organisation: count for organisation, count in rows}  # noqa: C416
