"""Every row of flow F5 accepts what it should and refuses what it should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from extensions.access.flow import BINDING, FLOW, TABLE
from extensions.access.models import AccessAgreement, AccessApplication
from extensions.access.models.key import list_keys
from extensions.access.rules import Report
from extensions.access.services.applications import ApplicationService
from extensions.access.services.grants import agreement_of
from portal.actor import SYSTEM, Actor
from portal.errors import Conflict, Forbidden, GuardRefused, IllegalEvent
from portal.models import AuditEvent, Deadline, Membership, Notice
from portal.models.organisation import get_organisation
from portal.services.flow import Flow
from portal.services.guards import always
from tests.extensions.access.conftest import ASKED, REQUEST, TERMS, Grants
from tests.factories import TRANSPORT, SetClock


@pytest.fixture
def database_kind() -> str:
    """The rows' guards ask nothing that differs between databases."""
    return "sqlite"


Fire = Callable[[Grants, AccessApplication, SetClock], Any]


def _facts(**facts: Any) -> Fire:
    """The row's own actor fires with these facts."""

    def fire(grants: Grants, application: AccessApplication, _clock: SetClock) -> None:
        event, actor = facts["event"], _actor(grants, facts["by"])
        rest = {k: v for k, v in facts.items() if k not in ("event", "by")}
        Flow(FLOW, grants.session, grants.platform.clock).fire(application, event, actor, **rest)

    return fire


def _actor(grants: Grants, kind: str) -> Actor:
    return {
        "applicant": grants.applicant,
        "agency": grants.reviewer,
        "bureau": grants.people.bureau,
        "system": SYSTEM,
    }[kind]


def _after_deadline(fire: Fire) -> Fire:
    def late(grants: Grants, application: AccessApplication, clock: SetClock) -> None:
        grants.pass_deadline(application, clock)
        fire(grants, application, clock)

    return late


def _after_days(days: int, fire: Fire) -> Fire:
    def late(grants: Grants, application: AccessApplication, clock: SetClock) -> None:
        clock.advance(days=days)
        fire(grants, application, clock)

    return late


def _issue(accepted: bool, right_text: bool = True) -> Fire:
    def fire(grants: Grants, application: AccessApplication, _clock: SetClock) -> None:
        digest = agreement_of(application).hash if right_text else "0" * 64
        grants.applications.issue_key(
            grants.applicant, application, accepted=accepted, agreement_hash=digest
        )

    return fire


def _incomplete(fire: Fire) -> Fire:
    def broken(grants: Grants, application: AccessApplication, clock: SetClock) -> None:
        application.purpose = ""
        fire(grants, application, clock)

    return broken


def _twice(fire: Fire, again: Fire) -> Fire:
    def both(grants: Grants, application: AccessApplication, clock: SetClock) -> None:
        fire(grants, application, clock)
        again(grants, application, clock)

    return both


def _second_notice(grants: Grants, application: AccessApplication, clock: SetClock) -> None:
    application.correction_notified_at = clock()
    _CORRECT(grants, application, clock)


def _end_key(*, own: bool) -> Fire:
    def fire(grants: Grants, application: AccessApplication, _clock: SetClock) -> None:
        key_id = list_keys(grants.session, application.id)[0].id if own else 10**6
        grants.applications.end_key(grants.applicant, application, key_id=key_id)

    return fire


def _reported(fire: Fire) -> Fire:
    def with_report(grants: Grants, application: AccessApplication, clock: SetClock) -> None:
        _report(grants, application, clock)
        fire(grants, application, clock)

    return with_report


def _report(grants: Grants, application: AccessApplication, _clock: SetClock) -> None:
    grants.applications.report_use(grants.applicant, application, REPORT)


REPORT = Report("用站点客流改进了三条线路的换乘方案，没有向他人提供原始数据。", "无")
_CORRECT = _facts(event="request_correction", by="agency", defects=[{"field": "", "text": "说明"}])
_ANSWERS = {0: "已写明", 1: "保存一年"}
_APPROVE = _facts(event="approve", by="agency", terms=TERMS)
_EXTEND = _facts(event="extend", by="agency", working_days=5, reason="须征求意见")

ACCEPTED: dict[tuple[str, str], list[Fire]] = {
    ("draft", "submit"): [_facts(event="submit", by="applicant")],
    ("submitted", "accept"): [_facts(event="accept", by="agency")],
    ("submitted", "request_correction"): [_CORRECT],
    ("correction_needed", "resubmit"): [_facts(event="resubmit", by="applicant", answers=_ANSWERS)],
    ("correction_needed", "lapse"): [_after_deadline(_facts(event="lapse", by="system"))],
    ("draft", "withdraw"): [_facts(event="withdraw", by="applicant")],
    ("submitted", "withdraw"): [_facts(event="withdraw", by="applicant")],
    ("under_review", "withdraw"): [_facts(event="withdraw", by="applicant")],
    ("under_review", "approve"): [_APPROVE],
    ("under_review", "reject"): [
        _facts(event="reject", by="agency", ground="capability", reason="没有加密存储")
    ],
    ("under_review", "extend"): [_EXTEND],
    ("approved", "issue_key"): [_issue(accepted=True)],
    ("approved", "lapse"): [_after_deadline(_facts(event="lapse", by="system"))],
    ("active", "rotate_key"): [_facts(event="rotate_key", by="applicant")],
    ("active", "add_key"): [_facts(event="add_key", by="applicant", name="测试环境")],
    ("active", "end_key"): [_end_key(own=True)],
    ("active", "report_use"): [_report],
    ("active", "suspend"): [
        _facts(event="suspend", by=by, reason="调用异常") for by in ("agency", "bureau", "system")
    ],
    ("suspended", "resume"): [
        _facts(event="resume", by=by, reason="已查明，误报") for by in ("agency", "bureau")
    ],
    ("active", "revoke"): [
        _facts(event="revoke", by=by, reason="违反协议") for by in ("agency", "bureau")
    ],
    ("suspended", "revoke"): [
        _facts(event="revoke", by=by, reason="违反协议") for by in ("agency", "bureau")
    ],
    ("active", "expire"): [_after_days(91, _facts(event="expire", by="system"))],
    ("suspended", "expire"): [_after_days(91, _facts(event="expire", by="system"))],
    ("active", "renew"): [_reported(_after_days(80, _facts(event="renew", by="applicant")))],
}

REFUSED: dict[tuple[str, str], list[Fire]] = {
    ("draft", "submit"): [_incomplete(_facts(event="submit", by="applicant"))],
    ("submitted", "accept"): [_incomplete(_facts(event="accept", by="agency"))],
    ("submitted", "request_correction"): [
        _facts(event="request_correction", by="agency", defects=[]),
        _facts(event="request_correction", by="agency", defects=[{"field": "", "text": " "}]),
        _second_notice,
    ],
    ("correction_needed", "resubmit"): [
        _facts(event="resubmit", by="applicant", answers={0: "已写明"}),
        _incomplete(_facts(event="resubmit", by="applicant", answers=_ANSWERS)),
    ],
    ("correction_needed", "lapse"): [_after_days(14, _facts(event="lapse", by="system"))],
    ("under_review", "approve"): [
        _facts(event="approve", by="agency"),
        _facts(event="approve", by="agency", terms=replace(TERMS, fields=())),
        _facts(event="approve", by="agency", terms=replace(TERMS, fields=("opened_on",))),
        _facts(event="approve", by="agency", terms=replace(TERMS, fields=("keeper",))),
        _facts(event="approve", by="agency", terms=replace(TERMS, quota_day=0)),
        _facts(event="approve", by="agency", terms=replace(TERMS, per_minute=-1)),
        _facts(event="approve", by="agency", terms=replace(TERMS, term_days=367)),
    ],
    ("under_review", "reject"): [
        _facts(event="reject", by="agency", ground="mood", reason="不行"),
        _facts(event="reject", by="agency", ground="capability", reason="  "),
    ],
    ("under_review", "extend"): [
        _facts(event="extend", by="agency", working_days=11, reason="须征求意见"),
        _facts(event="extend", by="agency", working_days=5, reason=""),
        _twice(_EXTEND, _EXTEND),
    ],
    ("approved", "issue_key"): [_issue(accepted=False), _issue(accepted=True, right_text=False)],
    ("approved", "lapse"): [_after_days(20, _facts(event="lapse", by="system"))],
    ("active", "suspend"): [_facts(event="suspend", by="agency", reason="")],
    ("suspended", "resume"): [_facts(event="resume", by="bureau", reason="")],
    ("active", "revoke"): [_facts(event="revoke", by="bureau", reason=" ")],
    ("suspended", "revoke"): [_facts(event="revoke", by="agency", reason="")],
    ("active", "expire"): [_after_days(90, _facts(event="expire", by="system"))],
    ("suspended", "expire"): [_after_days(90, _facts(event="expire", by="system"))],
    ("active", "renew"): [
        _reported(_after_days(30, _facts(event="renew", by="applicant"))),
        _after_days(80, _facts(event="renew", by="applicant")),  # without its report
    ],
    ("active", "add_key"): [
        _facts(event="add_key", by="applicant", name=" "),
        _facts(event="add_key", by="applicant", name="长" * 61),
        _facts(event="add_key", by="applicant", name="晚", expires_on=date(2030, 1, 1)),
        _facts(event="add_key", by="applicant", name="早", expires_on=date(2020, 1, 1)),
    ],
    ("active", "end_key"): [_end_key(own=False)],
    ("active", "report_use"): [
        _facts(event="report_use", by="applicant"),
        _facts(event="report_use", by="applicant", report=Report("短")),
        _facts(event="report_use", by="applicant", report=replace(REPORT, public={"title": "x"})),
    ],
}


def _cases(table: dict[tuple[str, str], list[Fire]]) -> list[Any]:
    return [
        pytest.param(state, event, fire, id=f"{state}-{event}-{n}")
        for (state, event), fires in table.items()
        for n, fire in enumerate(fires)
    ]


@pytest.mark.parametrize(("state", "event", "fire"), _cases(ACCEPTED))
def test_row_accepts(grants: Grants, clock: SetClock, state: str, event: str, fire: Fire) -> None:
    application = grants.in_state(state)
    fire(grants, application, clock)
    assert application.state == BINDING_ROWS[(state, event)].next_state


@pytest.mark.parametrize(("state", "event", "fire"), _cases(REFUSED))
def test_row_refuses(grants: Grants, clock: SetClock, state: str, event: str, fire: Fire) -> None:
    application = grants.in_state(state)
    with pytest.raises(GuardRefused) as caught:
        fire(grants, application, clock)
    assert application.state == state
    assert all(defect.text() for defect in caught.value.defects)


BINDING_ROWS = {(row.state, row.event): row for row in TABLE}


def test_every_row_is_walked() -> None:
    walked = {("", "create"), *ACCEPTED}
    assert walked == set(BINDING_ROWS)
    guarded = {k for k, row in BINDING_ROWS.items() if BINDING.guards[row.guard_id] is not always}
    assert guarded == {("", "create"), *REFUSED}


@pytest.mark.parametrize("row", [r for r in TABLE if r.state], ids=lambda r: f"{r.state}-{r.event}")
def test_row_refuses_who_is_not_named(grants: Grants, row: Any) -> None:
    """The other side, another agency, another applicant: nobody but the table's actors."""
    application = grants.in_state(row.state)
    others = {
        "applicant": grants.applicant,
        "agency": grants.reviewer,
        "bureau": grants.people.bureau,
    }
    strangers = [actor for kind, actor in others.items() if kind not in row.actors]
    strangers += [grants.people.stranger, grants.people.actor("applicant", number=2)]
    flow = Flow(FLOW, grants.session, grants.platform.clock)
    for actor in strangers:
        with pytest.raises(Forbidden):
            flow.fire(application, row.event, actor, reason="试")
    assert application.state == row.state


def test_every_other_event_is_refused(grants: Grants) -> None:
    application = grants.draft()
    with pytest.raises(IllegalEvent):
        grants.applications.approve(grants.reviewer, application, TERMS)


def test_create_needs_a_verified_name(grants: Grants) -> None:
    interface = grants.interface()
    unverified = replace(grants.applicant, identity_verified=False)
    with pytest.raises(GuardRefused):
        grants.applications.create(unverified, interface, REQUEST)
    assert grants.applications.create(grants.applicant, interface, REQUEST).state == "draft"


def test_create_needs_open_conditional_data(grants: Grants) -> None:
    interface = grants.interface()
    place = grants.catalogue.open_list
    entry_place = _place(grants, interface.entry_id)
    place.suspend(grants.reviewer, entry_place, reason="核查")
    with pytest.raises(GuardRefused):
        grants.applications.create(grants.applicant, interface, REQUEST)


def _place(grants: Grants, entry_id: int) -> Any:
    from portal.models.open_list import find_open_list_entry

    return find_open_list_entry(grants.session, entry_id)


def test_a_member_of_the_agency_is_not_decided_by_it(grants: Grants) -> None:
    application = grants.under_review()
    transport = get_organisation(grants.session, TRANSPORT)
    application.applicant.memberships.append(
        Membership(role="agency_editor", organisation=transport)
    )
    grants.session.flush()
    with pytest.raises(GuardRefused) as caught:
        grants.applications.approve(grants.reviewer, application, TERMS)
    assert caught.value.defects[0].code == "own_organisation"


def test_sensitive_and_closed_fields_cannot_be_asked_for(grants: Grants) -> None:
    application = grants.draft(fields=(*ASKED, "keeper", "internal_flag", "no_such"))
    with pytest.raises(GuardRefused) as caught:
        grants.applications.submit(grants.applicant, application)
    named = {defect.params["name"] for defect in caught.value.defects}
    assert named == {"keeper", "internal_flag", "no_such"}


def test_all_that_is_missing_is_named_at_once(grants: Grants) -> None:
    application = grants.draft(
        purpose="",
        scenario="",
        fields=(),
        volume_a_day=0,
        term_days=400,
        capability="",
        undertakings=(),
    )
    with pytest.raises(GuardRefused) as caught:
        grants.applications.submit(grants.applicant, application)
    assert {defect.field for defect in caught.value.defects} == {
        "purpose", "scenario", "fields", "volume_a_day", "term_days", "capability", "undertakings",
    }  # fmt: skip


def test_deadlines_follow_the_table(grants: Grants) -> None:
    application = grants.under_review()
    found = grants.session.scalars(
        select(Deadline).where(Deadline.flow == FLOW, Deadline.subject_id == application.id)
    ).all()
    closed, opened = found
    assert (closed.working_days, closed.met) == (2, True)
    assert (opened.working_days, opened.due_on.isoformat()) == (10, "2026-12-08")
    grants.applications.extend(grants.reviewer, application, working_days=5, reason="须征求意见")
    assert opened.due_on.isoformat() == "2026-12-15"


def test_approval_tells_the_applicant_and_the_bureau(grants: Grants) -> None:
    bureau = grants.people.bureau.account_id
    application = grants.approved()
    told = grants.session.scalars(
        select(Notice.account_id)
        .join(AuditEvent, AuditEvent.id == Notice.event_id)
        .where(AuditEvent.event == "approve", AuditEvent.flow == FLOW)
    ).all()
    assert {application.applicant_id, bureau} <= set(told)


def test_a_double_click_decides_once(grants: Grants) -> None:
    application = grants.under_review()
    seen = application.row_version
    grants.applications.approve(grants.reviewer, application, TERMS, seen=seen, key="k-1")
    grants.applications.approve(grants.reviewer, application, TERMS, seen=seen, key="k-1")
    events = select(func.count(AuditEvent.id)).where(
        AuditEvent.event == "approve", AuditEvent.flow == FLOW
    )
    assert grants.session.scalar(events) == 1
    with pytest.raises(IllegalEvent):
        grants.applications.reject(
            grants.reviewer, application, ground="rights", reason="改主意", key="k-2"
        )


def test_a_decision_on_an_older_reading_conflicts(grants: Grants) -> None:
    application = grants.under_review()
    seen = application.row_version
    grants.applications.extend(grants.reviewer, application, working_days=2, reason="须征求意见")
    with pytest.raises(Conflict):
        grants.applications.approve(grants.reviewer, application, TERMS, seen=seen)


def test_an_extension_repeated_by_key_moves_the_deadline_once(grants: Grants) -> None:
    application = grants.under_review()
    for _ in range(2):
        grants.applications.extend(
            grants.reviewer, application, working_days=5, reason="须征求意见", key="e-1"
        )
    due = grants.session.scalars(
        select(Deadline.due_on).where(Deadline.flow == FLOW, Deadline.closed_at.is_(None))
    ).one()
    assert due.isoformat() == "2026-12-15"


def test_the_agreement_is_kept_with_its_hash(grants: Grants, session: Session) -> None:
    application = grants.active()
    kept = session.scalars(select(AccessAgreement)).one()
    assert kept.hash == agreement_of(application).hash
    assert "站点编码、站点名称、值班电话" in kept.text
    assert "日客流量" not in kept.text


def test_the_same_form_makes_one_draft(grants: Grants) -> None:
    interface = grants.interface()
    first = grants.applications.create(grants.applicant, interface, REQUEST, form_key="f-1")
    again = grants.applications.create(grants.applicant, interface, REQUEST, form_key="f-1")
    assert first is again
    with pytest.raises(Conflict):
        grants.applications.create(grants.applicant, interface, REQUEST, form_key="f-2")


def test_a_renewal_is_a_new_application_prefilled(grants: Grants, clock: SetClock) -> None:
    application = grants.active()
    grants.applications.report_use(grants.applicant, application, REPORT)
    clock.advance(days=80)
    following = grants.applications.renew(grants.applicant, application, key="r-1")
    assert (following.state, following.renews_id) == ("draft", application.id)
    assert following.purpose == application.purpose
    assert following.undertakings == []
    assert application.state == "active"


def test_what_was_handed_in_cannot_be_edited(grants: Grants) -> None:
    application = grants.submitted()
    with pytest.raises(Conflict):
        grants.applications.edit(grants.applicant, application, REQUEST)
    with pytest.raises(Forbidden):
        ApplicationService(grants.session, grants.platform.clock).edit(
            grants.reviewer, application, REQUEST
        )
