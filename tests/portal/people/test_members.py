"""Members: invited by mail, seen off with a hand-over, stood in for while they are away."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from portal.actor import Actor
from portal.errors import Forbidden, GuardRefused, Invalid
from portal.models import Account, ApiToken, AuditEvent, Delegation, EntryVersion, Notice
from portal.models.account import find_account
from portal.models.organisation import get_organisation
from portal.services import delegations, leaving, members, notices
from portal.services.accounts import actor_of, create_account, create_token
from portal.services.entries import EntryService
from portal.services.login_sessions import NewSession, actor_of_session, begin
from tests.factories import HEALTH, TRANSPORT, Catalogue, People, SetClock, content
from tests.portal.people.conftest import NEW_PASSWORD, PostOffice, log_in
from tests.portal.web.work.conftest import Browser, text_of

NEW = {"username": "wang-fang", "display_name": "王芳"}
PASSWORDS = {"password": NEW_PASSWORD, "again": NEW_PASSWORD}


def _invite(office: PostOffice, by: Browser, **changes: str) -> str:
    given = {"email": "wang@example.cn", "role": "agency_editor", **changes}
    by.submit("/work/members", "/invite", **given)
    office.deliver()
    return office.link()


def test_somebody_invited_makes_an_account_and_works(post_office: PostOffice) -> None:
    department = post_office.browser("responsible_dept")
    link = _invite(post_office, department)
    guest = post_office.visitor()
    assert "编目员" in text_of(guest.get(link))
    guest.submit(link, "/invitation", **NEW, **PASSWORDS)
    assert log_in(guest.client, "wang-fang", NEW_PASSWORD).location == "/work"
    guest.get("/work/entries")
    assert "王芳" in text_of(department.get("/work/members"))
    post_office.visitor().get(link, 410)  # once
    account = post_office.account("wang-fang")
    assert account.email_verified_at is not None


def test_somebody_with_an_account_joins_with_it(post_office: PostOffice) -> None:
    address = post_office.set_address("agency_editor", HEALTH)
    link = _invite(post_office, post_office.browser("responsible_dept"), email=address)
    assert "新建账号" not in text_of(post_office.visitor().get(link))
    stranger = post_office.browser("agency_reviewer", HEALTH)
    post_office.set_address("agency_reviewer", HEALTH)
    assert "另一个邮箱" in text_of(stranger.submit(link, "/join", 422))
    invited = post_office.browser("agency_editor", HEALTH)
    invited.submit(link, "/join")
    account = post_office.account(post_office.username("agency_editor", HEALTH))
    codes = {m.organisation.code for m in account.memberships if m.organisation}
    assert codes == {HEALTH, TRANSPORT}


def test_invitations_lapse_and_are_taken_back(post_office: PostOffice, clock: SetClock) -> None:
    department = post_office.browser("responsible_dept")
    link = _invite(post_office, department)
    department.submit("/work/members", "/withdraw")
    post_office.visitor().get(link, 410)
    late = _invite(post_office, department)
    newer = _invite(post_office, department)
    post_office.visitor().get(late, 410)  # the newer one replaced it
    clock.advance(days=7, seconds=1)
    post_office.visitor().get(newer, 410)


def test_only_administrators_invite_and_only_into_their_own(post_office: PostOffice) -> None:
    editor = post_office.browser("agency_editor")
    editor.get("/work/members", 403)
    data = {"csrf_token": editor.token(), "org": TRANSPORT, "email": "a@example.cn"}
    data["role"] = "agency_editor"
    assert editor.client.post("/work/members/invite", data=data).status_code == 403
    department = post_office.browser("responsible_dept")
    data |= {"csrf_token": department.token(), "org": HEALTH}
    assert department.client.post("/work/members/invite", data=data).status_code in (403, 404)
    form = department.form("/work/members", "/invite")
    for role in ("bureau_admin", "auditor", "applicant", "king"):
        page = department.send(form, 422, email="a@example.cn", role=role)
        assert "可以授予的角色" in text_of(page)


def test_an_organisation_administrator_sees_to_people_and_decides_nothing(
    post_office: PostOffice,
) -> None:
    administrator = post_office.browser("organisation_admin")
    _invite(post_office, administrator, role="agency_reviewer")
    administrator.get("/work/entries/new", 403)


def test_the_bureaus_own_administrator_makes_no_administrator(post_office: PostOffice) -> None:
    keeper = post_office.browser("organisation_admin", "JL-BUR")
    form = keeper.form("/work/members", "/invite")
    for role in ("bureau_admin", "auditor"):
        keeper.send(form, 422, email="a@example.cn", role=role)
    keeper.send(form, email="a@example.cn", role="bureau_reviewer")


@pytest.mark.parametrize("database_kind", ["sqlite"])
class TestServices:
    def test_who_audits_does_nothing_else(
        self, session: Any, people: People, platform: Any
    ) -> None:
        bureau = get_organisation(session, "JL-BUR")
        for first, second in (("auditor", "bureau_admin"), ("bureau_reviewer", "auditor")):
            with pytest.raises(Invalid, match="提交的内容有误") as refused:
                members.give_role(session, people.account(first, "JL-BUR"), second, bureau)
            assert refused.value.defects[0].code == "separation"
        with pytest.raises(Invalid):
            create_account(
                session,
                platform.clock,
                username="both",
                password=NEW_PASSWORD,
                memberships=[("auditor", bureau), ("bureau_admin", bureau)],
            )

    def test_open_work_goes_to_a_successor(
        self, session: Any, people: People, catalogue: Catalogue, clock: SetClock
    ) -> None:
        catalogue.proposed()
        place = get_organisation(session, TRANSPORT)
        leaver = people.account("agency_security_officer", TRANSPORT)
        colleague = people.account("agency_reviewer", TRANSPORT)
        create_token(session, clock, leaver, "x")
        with pytest.raises(Invalid) as refused:
            leaving.leave(session, clock, people.department, leaver, place, None)
        assert refused.value.defects[0].field == "successor"
        outsider = people.account("agency_editor", HEALTH)
        with pytest.raises(Invalid):
            leaving.leave(session, clock, people.department, leaver, place, outsider)
        found = leaving.leave(session, clock, people.department, leaver, place, colleague)
        assert [row.kind for row in found.rows] == ["proposed"]
        assert {m.role for m in colleague.memberships} == {
            "agency_reviewer",
            "agency_security_officer",
        }
        assert leaver.disabled
        assert session.scalars(select(ApiToken.revoked_at)).one() is not None
        told = session.scalars(select(Notice).where(Notice.account_id == colleague.id)).all()
        assert any("由您接手" in notice.text for notice in told)
        event = session.scalars(select(AuditEvent).where(AuditEvent.event == "leave")).one()
        assert event.details["successor"] == colleague.username
        assert event.details["open"] == 1

    def test_without_open_work_nobody_need_follow(
        self, session: Any, people: People, clock: SetClock
    ) -> None:
        leaver = people.account("agency_editor", TRANSPORT)
        place = get_organisation(session, TRANSPORT)
        leaving.leave(session, clock, people.department, leaver, place, None)
        assert leaver.memberships == []
        with pytest.raises(Forbidden):
            leaving.leave(session, clock, people.agency_reviewer, leaver, place, None)
        own = people.account("responsible_dept", TRANSPORT)
        with pytest.raises(Invalid, match="提交的内容有误"):
            leaving.leave(session, clock, people.department, own, place, None)


@pytest.mark.parametrize("database_kind", ["sqlite"])
class TestAbsence:
    TODAY = date(2026, 11, 24)

    def _stand_in(
        self, session: Any, clock: SetClock, away: Account, substitute: Account, days: int = 3
    ) -> Delegation:
        return delegations.delegate(
            session,
            clock,
            actor_of(away),
            away,
            substitute_id=substitute.id,
            starts_on=self.TODAY,
            ends_on=self.TODAY + timedelta(days=days),
            reason="出差",
        )

    def _acting(self, session: Any, clock: SetClock, account: Account) -> Actor:
        begun = begin(session, clock, account)
        assert isinstance(begun, NewSession)
        session.flush()
        return actor_of_session(session, clock, begun.token)

    def test_the_substitute_works_in_their_own_name_and_both_are_named(
        self, session: Any, people: People, catalogue: Catalogue, clock: SetClock
    ) -> None:
        away = people.account("agency_security_officer", TRANSPORT)
        substitute = people.account("responsible_dept", TRANSPORT)
        place = catalogue.proposed()
        before = self._acting(session, clock, substitute)
        with pytest.raises(Forbidden):
            catalogue.open_list.pass_review(before, place, {"confidential": "否"})
        self._stand_in(session, clock, away, substitute)
        acting = self._acting(session, clock, substitute)
        assert acting.account_id == substitute.id
        catalogue.open_list.pass_review(acting, place, {"confidential": "否"})
        event = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert event.actor_id == substitute.id
        assert event.actor_name == f"{substitute.display_name}（代{away.display_name}）"
        assert event.details["on_behalf_of"] == [{"id": away.id, "name": away.display_name}]

    def test_what_one_of_the_two_edited_neither_reviews(
        self, session: Any, people: People, catalogue: Catalogue, clock: SetClock
    ) -> None:
        bureau = people.account("bureau_reviewer", "JL-BUR")
        other = people.account("bureau_reviewer", "JL-BUR", number=2)
        entries = EntryService(session, clock)
        version = catalogue.submitted()
        version.editors = [*version.editors, bureau.id]
        self._stand_in(session, clock, bureau, other)
        session.flush()
        with pytest.raises(GuardRefused):
            entries.approve(self._acting(session, clock, other), version)
        third = people.account("bureau_reviewer", "JL-BUR", number=3)
        entries.approve(self._acting(session, clock, third), version)
        assert session.get(EntryVersion, version.id).state == "published"

    def test_it_begins_and_ends_with_its_days(
        self, session: Any, people: People, clock: SetClock
    ) -> None:
        away = people.account("agency_reviewer", TRANSPORT)
        substitute = people.account("agency_editor", TRANSPORT)
        made = self._stand_in(session, clock, away, substitute, days=1)
        assert self._acting(session, clock, substitute).has_role("agency_reviewer")
        clock.advance(days=1)
        assert self._acting(session, clock, substitute).has_role("agency_reviewer")
        clock.advance(days=1)
        assert not self._acting(session, clock, substitute).has_role("agency_reviewer")
        clock.advance(days=-2)
        delegations.end_delegation(session, clock, actor_of(substitute), made.id)
        session.flush()
        assert not self._acting(session, clock, substitute).has_role("agency_reviewer")
        away.disabled = True

    def test_nothing_of_another_organisation_is_lent(
        self, session: Any, people: People, clock: SetClock
    ) -> None:
        away = people.account("agency_reviewer", TRANSPORT)
        members.give_role(session, away, "agency_editor", get_organisation(session, HEALTH))
        substitute = people.account("agency_editor", TRANSPORT)
        self._stand_in(session, clock, away, substitute)
        acting = self._acting(session, clock, substitute)
        assert [r.role for r in acting.roles if r.principal_id] == ["agency_reviewer"]
        event = session.scalars(select(AuditEvent).where(AuditEvent.event == "delegate")).one()
        notices.tell(session, clock, {away.id}, event, "为卫生健康委员会的事", "/work")
        told = select(Notice.account_id).where(Notice.text.contains("卫生健康"))
        assert list(session.scalars(told)) == [away.id]
        substitute.memberships.clear()  # they have left the organisation
        session.flush()
        assert self._acting(session, clock, substitute).roles == ()

    def test_own_work_is_recorded_in_the_own_name_alone(
        self, session: Any, people: People, catalogue: Catalogue, clock: SetClock
    ) -> None:
        away = people.account("agency_reviewer", TRANSPORT)
        substitute = people.account("agency_editor", TRANSPORT)
        self._stand_in(session, clock, away, substitute)
        acting = self._acting(session, clock, substitute)
        catalogue.entries.create(acting, catalogue.organisation(), content())
        event = session.scalars(
            select(AuditEvent).where(AuditEvent.event == "create").order_by(AuditEvent.id.desc())
        ).first()
        assert event.actor_name == substitute.display_name

    def test_messages_reach_the_substitute_too(
        self, session: Any, people: People, catalogue: Catalogue, clock: SetClock
    ) -> None:
        away = people.account("bureau_reviewer", "JL-BUR")
        substitute = people.account("organisation_admin", "JL-BUR")
        self._stand_in(session, clock, away, substitute)
        catalogue.submitted()
        told = set(session.scalars(select(Notice.account_id)))
        assert {away.id, substitute.id} <= told

    @pytest.mark.parametrize(
        ("role", "organisation", "code"),
        [("bureau_admin", "JL-BUR", "not_lent"), ("auditor", "JL-BUR", "not_lent")],
    )
    def test_administering_and_auditing_are_not_lent(
        self, session: Any, people: People, clock: SetClock, role: str, organisation: str, code: str
    ) -> None:
        away = people.account(role, organisation)
        substitute = people.account("bureau_reviewer", organisation)
        with pytest.raises(Invalid) as refused:
            self._stand_in(session, clock, away, substitute)
        assert code in [d.code for d in refused.value.defects]

    def test_only_a_colleague_and_only_in_order(
        self, session: Any, people: People, clock: SetClock
    ) -> None:
        away = people.account("agency_editor", TRANSPORT)
        foreign = people.account("agency_editor", HEALTH)
        colleague = people.account("agency_reviewer", TRANSPORT)
        with pytest.raises(Invalid) as refused:
            self._stand_in(session, clock, away, foreign)
        assert [d.code for d in refused.value.defects] == ["not_colleague"]
        with pytest.raises(Invalid):
            self._stand_in(session, clock, away, colleague, days=-1)
        with pytest.raises(Invalid):
            self._stand_in(session, clock, away, colleague, days=400)
        self._stand_in(session, clock, away, colleague)
        with pytest.raises(Invalid) as twice:
            self._stand_in(session, clock, away, colleague)
        assert [d.code for d in twice.value.defects] == ["overlap"]
        with pytest.raises(Forbidden):
            delegations.delegate(
                session,
                clock,
                actor_of(foreign),
                away,
                substitute_id=colleague.id,
                starts_on=self.TODAY,
                ends_on=self.TODAY,
                reason="",
            )


def test_the_pages_of_absence_and_leaving(post_office: PostOffice) -> None:
    reviewer = post_office.browser("agency_reviewer")
    editor = post_office.browser("agency_editor")
    name = post_office.username("agency_editor", TRANSPORT)
    chosen = post_office.read(lambda s: find_account(s, name).id)
    given = {"substitute": str(chosen), "starts_on": "2026-11-24", "ends_on": "2026-11-26"}
    reviewer.submit("/work/absence", "/work/absence", reason="出差", **given)
    assert "出差" in text_of(editor.get("/work/absence"))
    editor.get("/work/open-list")
    editor.submit("/work/absence", "/end")
    bad = {**given, "ends_on": "昨天"}
    assert "应为日期" in text_of(reviewer.submit("/work/absence", "/work/absence", 422, **bad))
    department = post_office.browser("responsible_dept")
    page = department.get("/work/members")
    link = f"/work/members/{chosen}/leave?org={TRANSPORT}"
    assert link in page.text
    department.submit(link, "/leave")
    assert editor.client.get("/work").status_code == 302
