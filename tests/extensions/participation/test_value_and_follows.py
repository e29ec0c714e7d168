"""What counts for value, who hears of what, and following through the Action API."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.participation.models import DemandVote, EntryFollow
from extensions.participation.models.moderated import SHOWN
from extensions.participation.rules import ReuseText
from extensions.participation.services import value_signals
from extensions.participation.services.follows import follow_entry
from extensions.participation.services.moderation import review
from extensions.participation.services.reuses import file_reuse
from extensions.participation.services.timers import tell_of_deliveries
from portal.models import CatalogueEntry, Notice
from portal.models.account import Membership
from portal.models.entry import get_entry
from portal.models.organisation import get_organisation
from portal.services.accounts import create_token
from portal.services.value import gather_signals
from tests.extensions.participation.conftest import Demands, Site
from tests.factories import HEALTH, TRANSPORT, SetClock

TEXT = ReuseText("公交看板", "app", "https://example.org/bus", "", "在手机上看到站时间的小程序")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """The signals ask the system's clock, as all of the core's do not yet take one."""
    clock = SetClock()
    monkeypatch.setattr(value_signals, "system_clock", clock)
    return clock


def voters(demands: Demands, entry: CatalogueEntry) -> int:
    demands.session.flush()
    return gather_signals(demands.session, demands.clock, entry).voters


def test_distinct_verified_voters_of_a_year_count(demands: Demands) -> None:
    entry = demands.catalogue.opened().entry
    first, second = demands.file(entry), demands.file(entry)
    assert voters(demands, entry) == 1  # one person asked twice
    demands.service.vote(demands.voter, first)
    demands.service.vote(demands.voter, second)
    assert voters(demands, entry) == 2
    assert entry.value["inputs"]["voters"] == 2  # and the score has followed at once
    old = demands.clock() - timedelta(days=366)
    demands.session.query(DemandVote).update({"voted_at": old})
    assert voters(demands, entry) == 0


def test_the_providers_own_people_do_not_count(demands: Demands) -> None:
    entry = demands.catalogue.opened().entry
    demand = demands.file(entry)
    editor = demands.people.account("agency_editor", TRANSPORT)
    stranger = demands.people.account("agency_editor", HEALTH)
    editor.identity_verified = stranger.identity_verified = True
    for who in (demands.people.editor, demands.people.stranger):
        demands.service.vote(replace(who, identity_verified=True), demand)
    assert voters(demands, entry) == 2  # the filer and the stranger
    place = get_organisation(demands.session, TRANSPORT)
    demands.session.add(
        Membership(account_id=demand.author_id, role="agency_editor", organisation_id=place.id)
    )
    assert voters(demands, entry) == 1


def test_hidden_demands_and_unverified_accounts_do_not_count(demands: Demands) -> None:
    entry = demands.catalogue.opened().entry
    demand = demands.file(entry)
    demands.people.account("applicant").identity_verified = False
    assert voters(demands, entry) == 0
    demands.people.account("applicant").identity_verified = True
    assert voters(demands, entry) == 1
    review(demands.session, demands.clock, demands.people.bureau, demand, "hidden", reason="假")
    assert voters(demands, entry) == 0


def test_approved_reuses_count_but_not_the_providers_own(demands: Demands) -> None:
    entry = demands.catalogue.opened().entry
    reuse = file_reuse(demands.session, demands.clock, demands.people.applicant, TEXT, [entry.slug])
    own = file_reuse(demands.session, demands.clock, demands.people.editor, TEXT, [entry.code])
    assert gather_signals(demands.session, demands.clock, entry).reuses == 0
    for one in (reuse, own):
        review(demands.session, demands.clock, demands.people.bureau, one, SHOWN)
    assert gather_signals(demands.session, demands.clock, entry).reuses == 1
    assert entry.value["inputs"]["reuses"] == 1
    assert reuse.sources[0].version_id == entry.published_version_id


def test_followers_hear_of_publication_and_retirement(demands: Demands) -> None:
    entry = demands.catalogue.opened().entry
    follow_entry(demands.session, demands.clock, demands.people.applicant, entry)
    demands.catalogue.entries.retire(
        demands.people.bureau, entry, reason="停用", consequences_shown=True
    )
    assert any("停用" in text for text in told(demands.session, demands))


def told(session: Session, demands: Demands) -> list[str]:
    session.flush()
    account = demands.people.applicant.account_id
    return list(session.scalars(select(Notice.text).where(Notice.account_id == account)))


def test_followers_hear_of_delivered_data_once(demands: Demands) -> None:
    entry = demands.catalogue.opened().entry
    follow_entry(demands.session, demands.clock, demands.people.applicant, entry)
    tell_of_deliveries(demands.session, demands.clock)
    assert told(demands.session, demands) == []  # nothing since it was followed
    demands.clock.advance(hours=1)
    demands.catalogue.file(entry)
    demands.clock.advance(minutes=5)
    for _ in range(2):
        tell_of_deliveries(demands.session, demands.clock)
    assert sum("更新了数据文件" in text for text in told(demands.session, demands)) == 1


def token_of(site: Site, who: str) -> dict[str, str]:
    from portal.models.account import get_account

    with site.platform.database.writing() as session:
        account = get_account(session, site.names[who])
        made = create_token(session, site.platform.clock, account)
        return {"Authorization": made if isinstance(made, str) else made.token}


def test_following_by_the_action_api(site: Site) -> None:
    client = site.app.test_client()
    alice, bob = token_of(site, "alice"), token_of(site, "bob")

    def call(name: str, headers: dict[str, str], **data: str) -> tuple[int, object]:
        answer = client.post(f"/api/3/action/{name}", json=data, headers=headers)
        return answer.status_code, answer.get_json().get("result")

    assert call("follow_dataset", {}, id=site.slug)[0] == 403
    assert call("am_following_dataset", alice, id=site.slug) == (200, False)
    assert call("follow_dataset", alice, id=site.slug)[0] == 200
    assert call("follow_dataset", alice, id=site.slug)[0] == 409
    assert call("am_following_dataset", alice, id=site.slug) == (200, True)
    assert call("dataset_follower_count", {}, id=site.slug) == (200, 1)
    status, found = call("followee_list", alice)
    assert status == 200
    assert found[0]["dict"]["name"] == site.slug
    assert call("followee_list", bob, id=site.names["alice"])[0] == 403
    assert call("unfollow_dataset", alice, id=site.slug)[0] == 200
    assert call("unfollow_dataset", alice, id=site.slug)[0] == 404
    assert call("follow_dataset", alice, id="no-such")[0] == 404
    assert client.get(f"/api/3/action/follow_dataset?id={site.slug}").status_code == 400


def test_a_hidden_entry_is_not_there_for_followers_by_api(site: Site) -> None:
    with site.platform.database.writing() as session:
        get_entry(session, site.slug).published_version_id = None
    client = site.app.test_client()
    answer = client.post(
        "/api/3/action/follow_dataset", json={"id": site.slug}, headers=token_of(site, "bob")
    )
    assert answer.status_code == 404
    with site.platform.database.reading() as session:
        assert session.scalars(select(EntryFollow)).all() == []
