"""Interfaces, keys, timers and what the extension tells the core."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from extensions.access.models import AccessKey
from extensions.access.services import hooks, timers
from extensions.access.services.interfaces import InterfaceOffer
from extensions.access.services.keys import hash_secret
from portal.clock import system_clock
from portal.errors import Forbidden, GuardRefused, Invalid
from portal.models import AuditEvent, Distribution, Notice, Organisation
from portal.models.open_list import find_open_list_entry
from portal.platform import Platform
from portal.rules.entry_content import InformationItem
from tests.extensions.access.conftest import ITEMS, TERMS, Grants
from tests.factories import SetClock, conditional_content, content


@pytest.fixture
def entry(grants: Grants) -> Any:
    return grants.catalogue.published(conditional_content(items=ITEMS))


def register(grants: Grants, entry: Any, **changes: Any) -> Any:
    values = {"api_code": "bus-stops", "fields": ("stop_code",), **changes}
    return grants.interfaces.register(grants.people.editor, entry, InterfaceOffer(**values))


def test_an_interface_is_a_distribution_of_its_entry(grants: Grants, entry: Any) -> None:
    interface = register(grants, entry)
    shown = grants.session.get(Distribution, interface.distribution_id)
    assert (shown.kind, shown.url) == ("interface", "/data/v1/bus-stops")
    assert interface.name == f"{entry.published_version.title}接口"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"api_code": "Bus"}, "api_code"),
        ({"api_code": "ab"}, "api_code"),
        ({"api_code": "../x"}, "api_code"),
        ({"fields": ()}, "fields"),
        ({"fields": ("internal_flag",)}, "fields"),
        ({"fields": ("keeper",)}, "fields"),
        ({"fields": ("no_such",)}, "fields"),
        ({"sort_field": "stop_name"}, "sort_field"),
        ({"daily_quota": 0}, "daily_quota"),
        ({"per_minute": 10**9}, "per_minute"),
    ],
)
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_wrong_interface_is_refused_by_name(
    grants: Grants, entry: Any, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        register(grants, entry, **changes)
    assert {defect.field for defect in caught.value.defects} == {field}


def test_a_code_is_given_once(grants: Grants, entry: Any) -> None:
    register(grants, entry)
    with pytest.raises(Invalid) as caught:
        register(grants, entry)
    assert caught.value.defects[0].code == "taken"


def test_another_entrys_file_is_no_table_of_this(grants: Grants, entry: Any) -> None:
    other = grants.catalogue.file(grants.catalogue.published())
    with pytest.raises(Invalid):
        register(grants, entry, table_distribution=other)


def test_a_file_without_a_table_serves_no_interface(grants: Grants, entry: Any) -> None:
    picture = grants.catalogue.file(entry, b"%PDF-1.7", "说明.pdf")
    with pytest.raises(Invalid) as caught:
        register(grants, entry, table_distribution=picture)
    assert caught.value.defects[0].code == "no_table"


def test_only_the_provider_registers_and_only_conditional_data(grants: Grants, entry: Any) -> None:
    offer = InterfaceOffer("bus-stops", ("stop_code",))
    with pytest.raises(Forbidden):
        grants.interfaces.register(grants.people.stranger, entry, offer)
    unconditional = grants.catalogue.published(content(items=ITEMS[:3]))
    with pytest.raises(GuardRefused):
        register(grants, unconditional)


def test_sensitive_items_are_never_offered(grants: Grants) -> None:
    hidden = InformationItem(
        8, "证件号", "id_number", "string", 18, personal="sensitive", masking="drop"
    )
    entry = grants.catalogue.published(conditional_content(items=(*ITEMS, hidden)))
    with pytest.raises(Invalid):
        register(grants, entry, fields=("id_number",))


def test_keys_are_kept_as_hashes_and_rotate_with_an_overlap(
    grants: Grants, session: Session, clock: SetClock
) -> None:
    application, first = grants.with_secret()
    second = grants.applications.rotate_key(grants.applicant, application, overlap_hours=24).secret
    assert first != second
    rows = {k.secret_hash: k for k in session.scalars(select(AccessKey))}
    assert set(rows) == {hash_secret(first), hash_secret(second)}
    ends = (rows[hash_secret(first)].expires_at - clock()).total_seconds()
    assert ends == 24 * 3600
    with pytest.raises(GuardRefused):
        grants.applications.rotate_key(grants.applicant, application, overlap_hours=25)


def test_revocation_revokes_every_key(grants: Grants, session: Session) -> None:
    application = grants.active()
    grants.applications.rotate_key(grants.applicant, application)
    grants.applications.revoke(grants.reviewer, application, reason="违反协议")
    assert all(key.revoked_at for key in session.scalars(select(AccessKey)))


def test_grantees_are_told_when_their_entry_is_suspended(grants: Grants, session: Session) -> None:
    application = grants.active()
    place = find_open_list_entry(session, application.entry_id)
    grants.catalogue.open_list.suspend(grants.people.bureau, place, reason="核查")
    told = session.scalars(
        select(Notice.account_id)
        .join(AuditEvent, AuditEvent.id == Notice.event_id)
        .where(AuditEvent.flow == "open_list_entry", AuditEvent.event == "suspend")
    ).all()
    assert application.applicant_id in told
    grants.applications.revoke(grants.reviewer, application, reason="违反协议")
    assert list(hooks.grantees(session, place)) == []


def test_approved_applications_raise_the_value(
    grants: Grants, session: Session, clock: SetClock
) -> None:
    clock.now = system_clock()
    application = grants.active()
    entry_id = application.entry_id
    assert hooks.approved_applications(session, entry_id) == {"approved_applications": 1}
    assert application.entry.value["inputs"]["approved_applications"] == 1
    grants.applications.revoke(grants.reviewer, application, reason="违反协议")
    assert hooks.approved_applications(session, entry_id) == {"approved_applications": 0}


def test_the_agency_finds_it_on_its_work_list(grants: Grants) -> None:
    application = grants.submitted()
    items = hooks.waiting_applications(grants.session, grants.reviewer)
    assert [item.link for item in items] == [f"/work/applications/{application.id}"]
    assert items[0].deadline_id is not None
    assert list(hooks.waiting_applications(grants.session, grants.people.stranger)) == []
    assert list(hooks.waiting_applications(grants.session, grants.applicant)) == []


def test_reminders_come_once_at_ten_and_once_at_three_days(
    grants: Grants, session: Session, clock: SetClock
) -> None:
    application = grants.active(replace(TERMS, term_days=21))
    counts = []
    for days in (1, 6, 1, 9, 1):
        clock.advance(days=days)
        timers.tick(session, clock, application)
        timers.tick(session, clock, application)
        counts.append(
            session.scalar(
                select(func.count(Notice.id)).where(Notice.text.contains("个工作日到期"))
            )
        )
    assert counts == [0, 1, 1, 2, 2]
    clock.advance(days=4)
    timers.tick(session, clock, application)
    assert application.state == "expired"


def test_what_is_not_signed_in_time_lapses(
    grants: Grants, session: Session, clock: SetClock
) -> None:
    application = grants.approved()
    timers.tick(session, clock, application)
    assert application.state == "approved"
    grants.pass_deadline(application, clock)
    session.flush()
    assert application.id in timers.list_due(session, clock)
    timers.tick(session, clock, application)
    assert application.state == "lapsed"


def test_the_schema_has_its_own_branch(platform: Platform) -> None:
    with platform.database.reading() as reading:
        assert reading.scalar(select(func.count(Organisation.id)))
        assert reading.scalar(select(func.count(AccessKey.id))) == 0
