"""Fields that a form or an action does not offer change nothing, whatever is sent along."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from portal.models import Account, CatalogueEntry, EntryVersion
from portal.models.account import Membership
from portal.models.organisation import get_organisation
from portal.services.accounts import create_token
from tests.factories import HEALTH, TRANSPORT
from tests.portal.web.work.conftest import Office

EXTRA: dict[str, Any] = {
    "id": "1",
    "entry_id": "1",
    "state": "published",
    "row_version": "99",
    "number": "7",
    "code": "EVIL-1",
    "slug": "evil",
    "published_version_id": "1",
    "provider_id": "1",
    "responsible_dept_id": "1",
    "editors": "[]",
    "content": "{}",
    "content_hash": "x",
    "issued_at": "2020-01-01",
    "retired_at": "2020-01-01",
    "value_score": "100",
    "value_badge": "1",
    "livelihood_confirmed": "1",
    "needs_second_look": "0",
    "metadata_profile": "foreign-1",
    "index_version": "0",
    "is_system": "1",
    "role": "bureau_admin",
    "roles": "bureau_admin",
    "account_id": "1",
    "actor": "1",
    "foreign.package.x": "y",
    "extras": "x",
}


def _draft(office: Office) -> int:
    return int(office.made(lambda catalogue, people: catalogue.draft().id))


def _facts(office: Office, version_id: int) -> tuple[Any, ...]:
    def read(session: Any) -> tuple[Any, ...]:
        version = session.get(EntryVersion, version_id)
        entry = version.entry
        return (
            version.state, version.number, version.entry_id, entry.code, entry.slug,
            entry.published_version_id, entry.provider.code, entry.metadata_profile,
            entry.value_score, entry.value_badge, entry.livelihood_confirmed,
            entry.issued_at, entry.retired_at, len(version.editors),
        )  # fmt: skip

    return office.read(read)  # type: ignore[no-any-return]


def test_the_editor_changes_the_content_and_nothing_else(office: Office) -> None:
    version_id = _draft(office)
    before = _facts(office, version_id)
    browser = office.browser("agency_editor")
    form = browser.form(f"/work/versions/{version_id}/edit", f"/work/versions/{version_id}/edit")
    data = {**EXTRA, **form.values(), "title": "新标题"}
    assert browser.client.post(form.action, data=data).status_code == 303
    after = _facts(office, version_id)
    assert after[:-1] == before[:-1]
    assert office.read(lambda s: s.get(EntryVersion, version_id).title) == "新标题"
    content = office.read(lambda s: s.get(EntryVersion, version_id).content)
    assert not set(content) & {"state", "code", "value_score", "roles", "extras", "foreign"}


def test_a_new_entry_is_a_draft_of_an_organisation_that_was_offered(office: Office) -> None:
    browser = office.browser("agency_editor")
    form = browser.form("/work/entries/new", "/work/entries/new")
    foreign = {**EXTRA, **form.values(), "title": "题", "provider": HEALTH}
    assert browser.client.post(form.action, data=foreign).status_code == 422
    data = {**EXTRA, **form.values(), "title": "题"}
    assert browser.client.post(form.action, data=data).status_code == 303
    entry = office.read(lambda s: s.scalars(select(CatalogueEntry)).one())
    version = office.read(lambda s: s.scalars(select(EntryVersion)).one())
    assert (version.state, version.number, version.row_version) == ("draft", 1, 1)
    assert entry.published_version_id is None
    assert entry.provider.code == TRANSPORT
    assert entry.slug != "evil"
    assert entry.code != "EVIL-1"
    assert entry.metadata_profile == "jl-1"


def test_a_decision_cannot_name_another_version_or_actor(office: Office) -> None:
    version_id = int(office.made(lambda catalogue, people: catalogue.submitted().id))
    other_id = int(office.made(lambda catalogue, people: catalogue.submitted().id))
    bureau = office.browser("bureau_reviewer", "JL-BUR")
    form = bureau.form(f"/work/versions/{version_id}", "/approve")
    data = {**EXTRA, **form.values(), "version_id": other_id, "event": "retire"}
    assert bureau.client.post(form.action, data=data).status_code == 303
    states = office.read(lambda s: [s.get(EntryVersion, i).state for i in (version_id, other_id)])
    assert states == ["published", "submitted"]


@pytest.mark.parametrize("path", ["/account/password", "/account/tokens"])
def test_nobody_gives_the_own_account_a_role(office: Office, path: str) -> None:
    browser = office.browser("agency_editor")
    form = browser.form("/account", path)
    data = {**EXTRA, **form.values(), "name": "x", "disabled": "no", "identity_verified": "1"}
    browser.client.post(path, data=data)
    name = office.username("agency_editor", TRANSPORT)

    def read(session: Any) -> tuple[list[str], bool]:
        account = session.scalars(select(Account).where(Account.username == name)).one()
        roles = session.scalars(
            select(Membership.role).where(Membership.account_id == account.id)
        ).all()
        return list(roles), account.identity_verified

    assert office.read(read) == (["agency_editor"], False)


def test_an_editor_with_a_token_publishes_nothing_and_for_no_other_organisation(
    office: Office,
) -> None:
    name = office.username("agency_editor", TRANSPORT)
    with office.platform.database.writing() as session:
        account = session.scalars(select(Account).where(Account.username == name)).one()
        token = create_token(session, office.platform.clock, account)
        slugs = {code: get_organisation(session, code).slug for code in (TRANSPORT, HEALTH)}
    client = office.app.test_client()

    def create(**given: Any) -> Any:
        return client.post(
            "/api/3/action/package_create", json=given, headers={"Authorization": token}
        )

    assert create(name="b", title="题", owner_org=slugs[HEALTH], private=False).status_code != 200
    given = {**EXTRA, "name": "a", "title": "题目", "owner_org": slugs[TRANSPORT], "private": False}
    given |= {"state": "active", "creator_user_id": "1", "extras": [], "roles": []}
    create(**{k: v for k, v in given.items() if k != "id"})
    for version in office.read(lambda s: s.scalars(select(EntryVersion)).all()):
        assert version.state == "draft"
        assert version.entry.provider.code == TRANSPORT
        assert not version.entry.value_badge
