"""Systems of agencies and the one department that answers for each (Measures, art. 14)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.actor import SYSTEM, Actor
from portal.clock import Clock, local_date
from portal.errors import Conflict, Invalid, NotFound
from portal.models.audit import AuditEvent
from portal.models.duty import Deadline
from portal.models.entry import CatalogueEntry
from portal.models.organisation import RESPONSIBLE_DEPT, Organisation
from portal.models.responsibility import BusinessSystem, ResponsibleAssignment, SystemMember
from portal.permissions import Permission, require
from portal.services import audit, notices
from portal.services.index_requests import request_index

FLOW = "responsibility"
BATCH = 500
LINK = "/work/duties/responsibility"


class ResponsibilityService:
    """Everything that may happen to systems and their departments. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def create_system(self, actor: Actor, code: str, name: str) -> BusinessSystem:
        """Make a system (a Bureau administrator). Raises Invalid, the code or name is missing or taken."""
        require(actor, Permission.RESPONSIBILITY_MANAGE)
        code, name = code.strip().lower(), name.strip()
        if not (code.isascii() and code.replace("-", "").isalnum()) or len(code) > 40:
            raise Invalid.one("code", "pattern", "代码只能用小写字母、数字和连字符，如 transport。")
        if not name:
            raise Invalid.one("name", "missing", "请填写系统名称。")
        taken = select(BusinessSystem.id).where(BusinessSystem.code == code)
        if self._session.scalar(taken) is not None:
            raise Invalid.one("code", "taken", "“{value}”已被使用，请换一个。", value=code)
        system = BusinessSystem(code=code, name=name[:200], created_at=self._clock())
        self._session.add(system)
        self._session.flush()
        self._record(actor, system, "create", {"code": code, "name": name})
        return system

    def add_member(self, actor: Actor, system: BusinessSystem, organisation: Organisation) -> None:
        """Bring an organisation into the system; its entries go to the department in force.

        Raises:
            Conflict: it belongs to another system.
        """
        require(actor, Permission.RESPONSIBILITY_MANAGE)
        member = self._session.get(SystemMember, organisation.id)
        if member is not None and member.system_id == system.id:
            return
        if member is not None:
            raise Conflict("“{name}”已属于另一系统，请先移出。", name=organisation.name)
        self._session.add(SystemMember(organisation_id=organisation.id, system_id=system.id))
        self._session.flush()
        self._record(actor, system, "add_member", {"organisation": organisation.code})
        self.align(actor, system)

    def remove_member(
        self, actor: Actor, system: BusinessSystem, organisation: Organisation
    ) -> None:
        """Take an organisation out; its entries stay with the department that had them."""
        require(actor, Permission.RESPONSIBILITY_MANAGE)
        member = self._session.get(SystemMember, organisation.id)
        if member is None or member.system_id != system.id:
            return
        self._session.delete(member)
        self._session.flush()
        self._record(actor, system, "remove_member", {"organisation": organisation.code})

    def assign(
        self,
        actor: Actor,
        system: BusinessSystem,
        department: Organisation,
        from_on: date,
        *,
        basis: str,
    ) -> ResponsibleAssignment:
        """Name the department that answers for the system from a day on.

        The one before it ends the day before. A day that has come is in force at once, with every
        entry and open deadline handed over; a later one waits for its day.

        Raises:
            Invalid: no department, no basis, the same department again, or a day that is not after
                the newest assignment's.
        """
        require(actor, Permission.RESPONSIBILITY_MANAGE)
        newest = self._newest(system)
        if department.kind != RESPONSIBLE_DEPT:
            raise Invalid.one("department", "kind", "责任部门须是省级部门。")
        if not basis.strip():
            raise Invalid.one("basis", "missing", "请填写依据，如文件名称和文号。")
        if newest is not None and from_on <= newest.from_on:
            raise Invalid.one(
                "from_on",
                "order",
                "开始日期须晚于现有安排的开始日期{day}。",
                day=newest.from_on.isoformat(),
            )
        if newest is not None and newest.organisation_id == department.id:
            raise Invalid.one("department", "same", "“{name}”已是责任部门。", name=department.name)
        made = ResponsibleAssignment(
            system_id=system.id,
            organisation_id=department.id,
            organisation=department,
            from_on=from_on,
            basis=basis.strip(),
            recorded_by=actor.name,
            recorded_at=self._clock(),
        )
        self._session.add(made)
        self._session.flush()
        event = self._record(
            actor,
            system,
            "assign",
            {"department": department.code, "from_on": from_on.isoformat()},
            reason=basis.strip(),
        )
        told = {department.id} | ({newest.organisation_id} if newest else set())
        text = f"“{system.name}”系统自{from_on.isoformat()}起由{department.name}负责。依据：{basis.strip()}"
        accounts = notices.accounts_acting_as(self._session, "responsible_dept", frozenset(told))
        notices.tell(self._session, self._clock, accounts - {actor.account_id}, event, text, LINK)
        if from_on <= local_date(self._clock()):
            self.align(actor, system)
        return made

    def align(self, actor: Actor, system: BusinessSystem) -> int:
        """Bring entries and open deadlines to the department in force; return how many entries.

        What a city compiles stays with its city. History stays: audit events and closed deadlines
        keep who answered then.
        """
        current = self.in_force(system)
        if current is None:
            return 0
        query = (
            select(CatalogueEntry)
            .join(SystemMember, SystemMember.organisation_id == CatalogueEntry.provider_id)
            .where(
                SystemMember.system_id == system.id,
                CatalogueEntry.responsible_dept_id != current.organisation_id,
                CatalogueEntry.supplementary.is_(False),
            )
        )
        entries = list(self._session.scalars(query).unique())
        for entry in entries:
            before = entry.responsible_dept.code
            entry.responsible_dept = current.organisation
            entry.responsible_dept_id = current.organisation_id
            entry.row_version += 1
            audit.record(
                self._session,
                self._clock,
                actor,
                flow=FLOW,
                event="hand_over",
                subject_id=system.id,
                entry_id=entry.id,
                reason=current.basis,
                details={"from": before, "to": current.organisation.code},
            )
            # Who may find what is not public yet changes with it.
            request_index(self._session, self._clock, entry, tightens=not entry.is_public)
        self._move_deadlines([entry.id for entry in entries], current.organisation_id)
        current.in_force = True
        return len(entries)

    def _move_deadlines(self, entry_ids: Sequence[int], department_id: int) -> None:
        for start in range(0, len(entry_ids), BATCH):
            self._session.execute(
                update(Deadline)
                .where(
                    Deadline.entry_id.in_(entry_ids[start : start + BATCH]),
                    Deadline.actor_kind == "responsible_dept",
                    Deadline.closed_at.is_(None),
                )
                .values(organisation_id=department_id)
            )

    def in_force(self, system: BusinessSystem) -> ResponsibleAssignment | None:
        """Return the assignment of today: the newest that has begun."""
        return self._session.scalars(
            select(ResponsibleAssignment)
            .where(
                ResponsibleAssignment.system_id == system.id,
                ResponsibleAssignment.from_on <= local_date(self._clock()),
            )
            .order_by(ResponsibleAssignment.from_on.desc())
            .limit(1)
        ).first()

    def _newest(self, system: BusinessSystem) -> ResponsibleAssignment | None:
        return self._session.scalars(
            select(ResponsibleAssignment)
            .where(ResponsibleAssignment.system_id == system.id)
            .order_by(ResponsibleAssignment.from_on.desc())
            .limit(1)
        ).first()

    def _record(
        self,
        actor: Actor,
        system: BusinessSystem,
        event: str,
        details: dict[str, str],
        *,
        reason: str = "",
    ) -> AuditEvent:
        return audit.record(
            self._session,
            self._clock,
            actor,
            flow=FLOW,
            event=event,
            subject_id=system.id,
            reason=reason,
            details=details,
        )


def align_all(session: Session, clock: Clock) -> int:
    """Bring every system to its department of today (the nightly job); return how many entries."""
    service = ResponsibilityService(session, clock)
    systems = session.scalars(select(BusinessSystem).order_by(BusinessSystem.id)).all()
    return sum(service.align(SYSTEM, system) for system in systems)


@dataclass(frozen=True)
class Assigned:
    """The department that answers for a provider's system today, since when, and by what."""

    department: Organisation
    system: str
    from_on: date
    basis: str


def assigned_for(session: Session, clock: Clock, provider_id: int) -> Assigned | None:
    """Return who answers for a provider's system today; None where it is of no system."""
    found = session.execute(
        select(ResponsibleAssignment, BusinessSystem.name)
        .join(BusinessSystem, BusinessSystem.id == ResponsibleAssignment.system_id)
        .join(SystemMember, SystemMember.system_id == ResponsibleAssignment.system_id)
        .where(
            SystemMember.organisation_id == provider_id,
            ResponsibleAssignment.from_on <= local_date(clock()),
        )
        .order_by(ResponsibleAssignment.from_on.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    assignment, system = found
    return Assigned(assignment.organisation, system, assignment.from_on, assignment.basis)


def department_for(session: Session, clock: Clock, provider_id: int) -> Organisation | None:
    """Return the department that answers for a provider's system today; None without a system."""
    found = assigned_for(session, clock, provider_id)
    return found.department if found is not None else None


def get_system(session: Session, system_id: int) -> BusinessSystem:
    found = session.get(BusinessSystem, system_id)
    if found is None:
        raise NotFound("没有这个系统。")
    return found


@dataclass(frozen=True)
class Term:
    """One department's time; `until_on` is the day before the next one begins, None while open."""

    assignment: ResponsibleAssignment
    until_on: date | None
    current: bool


@dataclass(frozen=True)
class SystemView:
    """A system with its terms, newest first, and its members."""

    system: BusinessSystem
    terms: tuple[Term, ...]
    members: tuple[Organisation, ...]

    @property
    def current(self) -> Term | None:
        return next((term for term in self.terms if term.current), None)


def list_systems(session: Session, today: date) -> list[SystemView]:
    """Return every system as the page shows it: three queries, whatever their number."""
    terms: dict[int, list[ResponsibleAssignment]] = {}
    ordered = select(ResponsibleAssignment).order_by(ResponsibleAssignment.from_on.desc())
    for one in session.scalars(ordered):
        terms.setdefault(one.system_id, []).append(one)
    members: dict[int, list[Organisation]] = {}
    joined = (
        select(SystemMember.system_id, Organisation)
        .join(Organisation, Organisation.id == SystemMember.organisation_id)
        .order_by(Organisation.id)
    )
    for system_id, organisation in session.execute(joined):
        members.setdefault(system_id, []).append(organisation)
    views = []
    for system in session.scalars(select(BusinessSystem).order_by(BusinessSystem.name)):
        own = terms.get(system.id, [])
        began = next((one for one in own if one.from_on <= today), None)
        ends = [None, *(one.from_on - timedelta(days=1) for one in own)]
        views.append(
            SystemView(
                system,
                tuple(Term(one, end, one is began) for one, end in zip(own, ends, strict=False)),
                tuple(members.get(system.id, ())),
            )
        )
    return views
