"""Absence that an administrator arranges, and what a token may do meanwhile."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.errors import Forbidden, Invalid, NotFound
from portal.models import Account, AuditEvent, Delegation, Notice
from portal.services import delegations
from portal.services.accounts import actor_of, actor_of_token, create_token
from portal.services.login_sessions import acting
from tests.factories import HEALTH, TRANSPORT, People, SetClock
from tests.portal.people.conftest import PostOffice
from tests.portal.web.work.conftest import text_of

TODAY = date(2026, 11, 24)
ONE_DATABASE = pytest.mark.parametrize("database_kind", ["sqlite"])


def arrange(
    session: Session, clock: SetClock, by: Actor, away: Account, substitute: Account
) -> Delegation:
    return delegations.delegate(
        session,
        clock,
        by,
        away,
        substitute_id=substitute.id,
        starts_on=TODAY,
        ends_on=TODAY,
        reason="住院",
    )


def notices_of(session: Session, account: Account) -> list[str]:
    return list(session.scalars(select(Notice.text).where(Notice.account_id == account.id)))


@ONE_DATABASE
def test_an_administrator_arranges_an_absence_and_both_are_told(
    session: Session, people: People, clock: SetClock
) -> None:
    by = people.actor("organisation_admin", TRANSPORT)
    away = people.account("agency_reviewer", TRANSPORT)
    substitute = people.account("agency_editor", TRANSPORT)
    made = arrange(session, clock, by, away, substitute)
    event = session.scalars(select(AuditEvent).where(AuditEvent.event == "delegate")).one()
    assert (event.actor_id, event.reason) == (by.account_id, "住院")
    assert event.details["substitute"] == substitute.username
    assert by.name in notices_of(session, away)[0]
    assert away.display_name in notices_of(session, substitute)[0]
    assert acting(session, clock, substitute).has_role("agency_reviewer")
    delegations.end_delegation(session, clock, by, made.id)
    assert len(notices_of(session, away)) == 2
    assert len(notices_of(session, substitute)) == 2
    assert not acting(session, clock, substitute).has_role("agency_reviewer")


@ONE_DATABASE
def test_nobody_arranges_it_elsewhere_or_for_the_own_gain(
    session: Session, people: People, clock: SetClock
) -> None:
    away = people.account("agency_security_officer", TRANSPORT)
    colleague = people.account("agency_editor", TRANSPORT)
    admin = people.account("organisation_admin", TRANSPORT)
    for role, place in (("organisation_admin", HEALTH), ("agency_reviewer", TRANSPORT)):
        with pytest.raises(Forbidden):
            arrange(session, clock, people.actor(role, place), away, colleague)
    with pytest.raises(Invalid) as own:
        arrange(session, clock, actor_of(admin), away, admin)
    assert [d.field for d in own.value.defects] == ["substitute"]
    with pytest.raises(Invalid):
        arrange(session, clock, actor_of(admin), away, people.account("agency_editor", HEALTH))
    made = arrange(session, clock, actor_of(away), away, colleague)
    with pytest.raises(NotFound):
        delegations.end_delegation(session, clock, people.stranger, made.id)


@ONE_DATABASE
def test_a_token_has_the_roles_of_its_own_account_alone(
    session: Session, people: People, clock: SetClock
) -> None:
    away = people.account("responsible_dept", TRANSPORT)
    substitute = people.account("agency_editor", TRANSPORT)
    token = create_token(session, clock, substitute, "定时上传")
    arrange(session, clock, actor_of(away), away, substitute)
    session.flush()
    assert acting(session, clock, substitute).has_role("responsible_dept")
    by_token = actor_of_token(session, token)
    assert {role.role for role in by_token.roles} == {"agency_editor"}
    assert by_token.principals == {}


def test_the_pages_of_an_absence_that_an_administrator_arranges(post_office: PostOffice) -> None:
    admin = post_office.browser("organisation_admin")
    away_name = post_office.username("agency_reviewer", TRANSPORT)
    editor_name = post_office.username("agency_editor", TRANSPORT)
    away, editor = post_office.account(away_name), post_office.account(editor_name)
    page = f"/work/members/{away.id}/absence"
    assert page in admin.get("/work/members").text
    given = {"substitute": str(editor.id), "starts_on": "2026-11-24", "ends_on": "2026-11-25"}
    wrong = admin.submit(f"{page}?org={TRANSPORT}", page, 422, **given | {"substitute": ""})
    assert "请选择本单位的一位同事" in text_of(wrong)
    admin.submit(f"{page}?org={TRANSPORT}", page, reason="住院", **given)
    assert "住院" in text_of(admin.get(f"{page}?org={TRANSPORT}"))
    substitute = post_office.browser("agency_editor")
    assert "在2026-11-24至2026-11-25期间代" in text_of(substitute.get("/notices"))
    substitute.get(f"{page}?org={TRANSPORT}", 403)
    admin.submit(f"{page}?org={TRANSPORT}", "/end")
    assert "不再代" in text_of(substitute.get("/notices"))
