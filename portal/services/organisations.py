"""Organisations: loaded from the code lists, and made by the Bureau."""

from __future__ import annotations

import csv
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.codes import code_list
from portal.errors import Invalid
from portal.models.entry import CatalogueEntry
from portal.models.organisation import (
    AGENCY,
    BUREAU,
    RESPONSIBLE_DEPT,
    Organisation,
    find_organisation,
)
from portal.permissions import Permission, require

BUREAU_CODE = "JL-BUR"
SERIALS_FROM = 100
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
    return organisation


def _next_serial(session: Session) -> str:
    highest = session.scalar(select(func.max(Organisation.serial))) or "000"
    return f"{max(int(highest) + 1, SERIALS_FROM):03d}"


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
