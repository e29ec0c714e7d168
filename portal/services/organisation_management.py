"""Organisations as the system's administrator makes and renames them: a city's, an agency's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.codes import code_list
from portal.errors import Conflict, Defect, Invalid
from portal.models.audit import AuditEvent
from portal.models.organisation import (
    AGENCY,
    BUREAU,
    CITY_AUTHORITY,
    PUBLIC_UTILITY,
    RESPONSIBLE_DEPT,
    Organisation,
    find_organisation,
)
from portal.permissions import Permission, require
from portal.services import audit
from portal.services.organisations import (
    FLOW,
    create_organisation,
    request_index_of_entries,
)

KINDS = (CITY_AUTHORITY, AGENCY, PUBLIC_UTILITY, RESPONSIBLE_DEPT)
"""What may be made; there is one Bureau."""

ABOVE = (BUREAU, RESPONSIBLE_DEPT, CITY_AUTHORITY)
"""Which kinds others may stand under: their administrators see to the members below as well."""

NAME_MAX, SHORT_MAX, CODE_MAX = 200, 100, 40
DEEPEST = 20


@dataclass(frozen=True)
class OrganisationFacts:
    """What is said of an organisation; `parent` is a code, empty where nothing stands above it."""

    name: str
    kind: str
    region_code: str
    name_en: str = ""
    short_name: str = ""
    parent: str = ""

    @property
    def mark(self) -> str:
        """Return what tells these facts from any others."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


def open_organisation(
    session: Session, clock: Clock, actor: Actor, code: str, given: OrganisationFacts
) -> Organisation:
    """Make an organisation (a Bureau administrator); its code stays for ever.

    Raises:
        Invalid: every defect of the code and of what is said.
    """
    require(actor, Permission.ORGANISATION_MANAGE)
    code = code.strip().upper()
    defects = [*_code_defects(session, code), *_defects(session, given, None)]
    if defects:
        raise Invalid(defects)
    made = create_organisation(
        session,
        clock,
        actor,
        slug=code.lower(),
        name=given.name.strip(),
        kind=given.kind,
        region_code=given.region_code,
        code=code,
    )
    _write(session, made, given)
    return made


def change_facts(
    session: Session,
    clock: Clock,
    actor: Actor,
    organisation: Organisation,
    given: OrganisationFacts,
    *,
    seen: str,
) -> None:
    """Change what is said of an organisation (a Bureau administrator); nothing new changes nothing.

    Its data sets show the name, so they are indexed again.

    Raises:
        Conflict: it is no more what was shown (`seen`: the `OrganisationFacts.mark` of then).
        Invalid: every defect of what is said; the kind stays what it is.
    """
    require(actor, Permission.ORGANISATION_MANAGE)
    before = facts_of(session, organisation)
    if before.mark != seen:
        raise Conflict()
    defects = list(_defects(session, given, organisation))
    if defects:
        raise Invalid(defects)
    _write(session, organisation, given)
    after = facts_of(session, organisation)
    changed = {
        name: [old, new] for name, old in vars(before).items() if (new := vars(after)[name]) != old
    }
    if not changed:
        return
    audit.record(
        session,
        clock,
        actor,
        flow=FLOW,
        event="change",
        subject_id=organisation.id,
        details={"code": organisation.code, "changed": changed},
    )
    request_index_of_entries(session, clock, organisation)


def facts_of(session: Session, organisation: Organisation) -> OrganisationFacts:
    above = session.get(Organisation, organisation.parent_id) if organisation.parent_id else None
    return OrganisationFacts(
        name=organisation.name,
        kind=organisation.kind,
        region_code=organisation.region_code,
        name_en=organisation.name_en,
        short_name=organisation.short_name,
        parent=above.code if above is not None else "",
    )


def list_changes_of(session: Session, organisation: Organisation) -> list[AuditEvent]:
    """Return who made and changed the organisation, the newest first."""
    query = select(AuditEvent).where(
        AuditEvent.flow == FLOW, AuditEvent.subject_id == organisation.id
    )
    return list(session.scalars(query.order_by(AuditEvent.id.desc()).limit(50)))


def _write(session: Session, organisation: Organisation, given: OrganisationFacts) -> None:
    above = find_organisation(session, given.parent) if given.parent else None
    organisation.name, organisation.name_en = given.name.strip(), given.name_en.strip()
    organisation.short_name = given.short_name.strip()
    organisation.kind, organisation.region_code = given.kind, given.region_code
    organisation.parent_id = above.id if above is not None else None
    session.flush()


def _code_defects(session: Session, code: str) -> Iterator[Defect]:
    if not (code.isascii() and code.replace("-", "").isalnum() and 2 <= len(code) <= CODE_MAX):
        text = "代码应为2至{n}位大写字母、数字和连字符，如 CC-TRA。"
        yield Defect("code", "pattern", text, {"n": CODE_MAX})
    elif find_organisation(session, code) is not None:
        yield Defect("code", "taken", "“{value}”已被使用，请换一个。", {"value": code})


def _defects(
    session: Session, given: OrganisationFacts, own: Organisation | None
) -> Iterator[Defect]:
    """Yield what is wrong with what is said of an organisation (`own` when it is changed)."""
    own_id = own.id if own is not None else None
    yield from _name_defects(session, given, own_id)
    kinds = KINDS if own is None else (own.kind,)  # roles were given by it: it stays
    if given.kind not in kinds:
        yield Defect("kind", "unknown_code", "请选择机构类别。")
    if given.region_code not in code_list("regions"):
        yield Defect("region_code", "unknown_code", "请选择所在地区。")
    elif given.kind == CITY_AUTHORITY and _has_authority(session, given.region_code, own_id):
        yield Defect("region_code", "taken", "这个地区已有主管部门，一个地区只有一个。")
    yield from _parent_defects(session, given, own_id)


def _name_defects(
    session: Session, given: OrganisationFacts, own_id: int | None
) -> Iterator[Defect]:
    name = given.name.strip()
    if not (1 <= len(name) <= NAME_MAX and name.isprintable()):
        yield Defect("name", "length", "机构名称应为1至{n}个字。", {"n": NAME_MAX})
    else:
        query = select(Organisation.id).where(Organisation.name == name)
        if any(found != own_id for found in session.scalars(query)):
            yield Defect("name", "taken", "已有名为“{value}”的机构。", {"value": name})
    if len(given.name_en) > NAME_MAX:
        yield Defect("name_en", "too_long", "英文名称不能超过{n}个字。", {"n": NAME_MAX})
    if len(given.short_name) > SHORT_MAX:
        yield Defect("short_name", "too_long", "简称不能超过{n}个字。", {"n": SHORT_MAX})


def _has_authority(session: Session, region_code: str, own_id: int | None) -> bool:
    query = select(Organisation.id).where(
        Organisation.kind == CITY_AUTHORITY, Organisation.region_code == region_code
    )
    return any(found != own_id for found in session.scalars(query))


def _parent_defects(
    session: Session, given: OrganisationFacts, own_id: int | None
) -> Iterator[Defect]:
    if not given.parent:
        return
    above = find_organisation(session, given.parent)
    if above is None or above.kind not in ABOVE:
        yield Defect("parent", "unknown", "上级机构应为省级部门或市（州）主管部门。")
        return
    for _ in range(DEEPEST):
        if above is None:
            return
        if above.id == own_id:
            break
        above = session.get(Organisation, above.parent_id) if above.parent_id else None
    yield Defect("parent", "loop", "上级机构不能是它自己或它的下级。")
