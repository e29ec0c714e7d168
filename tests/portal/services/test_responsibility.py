"""One department answers for a system on any day; hand-over takes entries and keeps history."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.clock import local_date
from portal.errors import Conflict, Forbidden, Invalid
from portal.models import AuditEvent, BusinessSystem, Deadline, Notice, ResponsibleAssignment
from portal.services.responsibility import (
    ResponsibilityService,
    align_all,
    department_for,
    list_systems,
)
from tests.factories import HEALTH, TRANSPORT, Catalogue, People, SetClock

TODAY = date(2026, 11, 24)


@pytest.fixture
def service(session: Session, clock: SetClock) -> ResponsibilityService:
    return ResponsibilityService(session, clock)


@pytest.fixture
def system(service: ResponsibilityService, people: People, catalogue: Catalogue) -> BusinessSystem:
    made = service.create_system(people.admin, "transport", "交通运输系统")
    service.add_member(people.admin, made, catalogue.organisation(TRANSPORT))
    service.assign(
        people.admin, made, catalogue.organisation(TRANSPORT), TODAY - timedelta(days=30), basis="旧文"
    )  # fmt: skip
    return made


def test_hand_over_takes_entries_and_open_deadlines_and_keeps_history(
    service: ResponsibilityService,
    session: Session,
    system: BusinessSystem,
    catalogue: Catalogue,
    people: People,
) -> None:
    version = catalogue.submitted()
    catalogue.entries.return_for_correction(
        people.bureau, version, reason="见清单", defects=[_defect()]
    )
    head = people.account("responsible_dept", HEALTH)
    service.assign(people.admin, system, catalogue.organisation(HEALTH), TODAY, basis="吉政办函1号")
    entry = version.entry
    assert entry.responsible_dept.code == HEALTH
    session.expire_all()
    query = select(Deadline).where(
        Deadline.entry_id == entry.id, Deadline.actor_kind == "responsible_dept"
    )
    assert {d.organisation_id for d in session.scalars(query) if d.closed_at is None} == {
        catalogue.organisation(HEALTH).id
    }
    event = session.scalars(select(AuditEvent).where(AuditEvent.event == "hand_over")).one()
    assert (event.details["from"], event.details["to"]) == (TRANSPORT, HEALTH)
    assert session.scalar(select(Notice.text).where(Notice.account_id == head.id))
    view = list_systems(session, TODAY)[0]
    assert [(t.assignment.organisation.code, t.until_on, t.current) for t in view.terms] == [
        (HEALTH, None, True),
        (TRANSPORT, TODAY - timedelta(days=1), False),
    ]


def _defect() -> object:
    from portal.errors import Defect

    return Defect("title", "returned", "名称不规范")


def test_new_entries_get_the_department_in_force(
    service: ResponsibilityService,
    session: Session,
    system: BusinessSystem,
    catalogue: Catalogue,
    people: People,
    clock: SetClock,
) -> None:
    tomorrow = TODAY + timedelta(days=1)
    service.assign(people.admin, system, catalogue.organisation(HEALTH), tomorrow, basis="新文")
    first = catalogue.draft().entry
    assert first.responsible_dept.code == TRANSPORT
    clock.advance(days=1)
    assert local_date(clock()) == tomorrow
    assert align_all(session, clock) == 1
    assert first.responsible_dept.code == HEALTH
    assert align_all(session, clock) == 0
    assert catalogue.draft().entry.responsible_dept.code == HEALTH
    found = department_for(session, clock, catalogue.organisation(TRANSPORT).id)
    assert found is not None
    assert found.code == HEALTH


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_what_is_refused(
    service: ResponsibilityService, system: BusinessSystem, catalogue: Catalogue, people: People
) -> None:
    health, bureau = catalogue.organisation(HEALTH), catalogue.organisation("JL-BUR")
    with pytest.raises(Forbidden):
        service.assign(people.bureau, system, health, TODAY, basis="文")
    for department, day, basis in (
        (bureau, TODAY, "文"),
        (health, TODAY, " "),
        (health, TODAY - timedelta(days=30), "文"),
        (catalogue.organisation(TRANSPORT), TODAY, "文"),
    ):
        with pytest.raises(Invalid):
            service.assign(people.admin, system, department, day, basis=basis)
    other = service.create_system(people.admin, "health", "卫生健康系统")
    with pytest.raises(Conflict):
        service.add_member(people.admin, other, catalogue.organisation(TRANSPORT))
    for code, name in (("health", "又一个"), ("卫生", "卫生"), ("x", " ")):
        with pytest.raises(Invalid):
            service.create_system(people.admin, code, name)


def test_the_database_holds_one_department_a_day(
    session: Session, system: BusinessSystem, catalogue: Catalogue, clock: SetClock
) -> None:
    newest = session.scalars(select(ResponsibleAssignment)).one()
    session.add(
        ResponsibleAssignment(
            system_id=system.id, organisation_id=catalogue.organisation(HEALTH).id,
            from_on=newest.from_on, basis="并行", recorded_by="x", recorded_at=clock(),
        )
    )  # fmt: skip
    with pytest.raises(IntegrityError):
        session.flush()
