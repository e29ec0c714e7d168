"""Following organisations and themes: by the Action API, in the browser, and what is told."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from extensions.participation.models import EntryFollow
from extensions.participation.models.topic_follow import ORGANISATION, THEME
from extensions.participation.services import topic_follows
from extensions.participation.services.follows import follow_entry
from extensions.participation.services.timers import tell_of_deliveries
from extensions.participation.services.topic_follows import (
    follow_topic,
    tell_of_topics,
    topic_key,
)
from portal.errors import Invalid
from portal.models import Notice
from tests.extensions.participation.conftest import Demands, Site
from tests.extensions.participation.test_value_and_follows import token_of
from tests.factories import HEALTH, TRANSPORT


def texts(demands: Demands, account_id: int | None) -> list[str]:
    query = select(Notice.text).where(Notice.account_id == account_id).order_by(Notice.id)
    return list(demands.session.scalars(query))


def follow(demands: Demands, kind: str, given: str, number: int = 1) -> int | None:
    who = demands.people.actor("applicant", number=number)
    key = topic_key(demands.session, kind, given)
    follow_topic(demands.session, demands.clock, who, kind, key)
    return who.account_id


def test_followers_hear_of_publications_and_withdrawals(demands: Demands) -> None:
    own = follow(demands, ORGANISATION, TRANSPORT)
    theme = follow(demands, THEME, "transport", 2)
    other = follow(demands, ORGANISATION, HEALTH, 3)
    entry = demands.catalogue.published()
    for account in (own, theme):
        before = texts(demands, account)
        assert before
        assert len(before) == len(set(before))
    assert texts(demands, other) == []
    count = len(texts(demands, own))
    demands.catalogue.entries.retire(
        demands.people.bureau, entry, reason="停用", consequences_shown=True
    )
    assert len(texts(demands, own)) > count
    assert texts(demands, other) == []


def test_new_data_is_told_once_in_one_notice(demands: Demands) -> None:
    entries = [demands.catalogue.published() for _ in range(4)]
    account = follow(demands, ORGANISATION, TRANSPORT)
    demands.clock.advance(minutes=1)
    for entry in entries:
        demands.catalogue.file(entry, b"a,b\n1,2\n", "a.csv")
    demands.session.flush()
    demands.clock.advance(minutes=1)
    before = len(texts(demands, account))
    assert topic_follows.has_topic_news(demands.session)
    tell_of_topics(demands.session, demands.clock)
    tell_of_topics(demands.session, demands.clock)
    (told,) = texts(demands, account)[before:]
    assert "吉林省交通运输厅" in told
    assert "等4项数据" in told
    assert not topic_follows.has_topic_news(demands.session)


def test_who_follows_the_data_set_too_hears_of_it_once(demands: Demands) -> None:
    entry = demands.catalogue.published()
    account = follow(demands, ORGANISATION, TRANSPORT)
    follow_entry(demands.session, demands.clock, demands.people.applicant, entry)
    demands.clock.advance(minutes=1)
    demands.catalogue.file(entry, b"a,b\n1,2\n", "a.csv")
    demands.session.flush()
    demands.clock.advance(minutes=1)
    before = len(texts(demands, account))
    tell_of_topics(demands.session, demands.clock)
    tell_of_deliveries(demands.session, demands.clock)
    assert len(texts(demands, account)) == before + 1
    assert demands.session.scalars(select(EntryFollow)).all()


def test_there_is_a_most_that_an_account_follows(
    demands: Demands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_follows, "FOLLOWED_MAX", 1)
    follow(demands, ORGANISATION, TRANSPORT)
    follow(demands, ORGANISATION, TRANSPORT)  # again changes nothing
    with pytest.raises(Invalid):
        follow(demands, THEME, "transport")


@pytest.mark.parametrize(
    ("kind", "key", "name"),
    [("organization", "jl-tra", "吉林省交通运输厅"), ("group", "transport", "")],
)
def test_topics_by_the_action_api(site: Site, kind: str, key: str, name: str) -> None:
    client = site.app.test_client()
    alice = token_of(site, "alice")

    def call(action: str, headers: dict[str, str], **data: str) -> tuple[int, object]:
        answer = client.post(f"/api/3/action/{action}", json=data, headers=headers)
        return answer.status_code, answer.get_json().get("result")

    assert call(f"follow_{kind}", {}, id=key)[0] == 403
    assert call(f"am_following_{kind}", alice, id=key) == (200, False)
    assert call(f"follow_{kind}", alice, id=key)[0] == 200
    assert call(f"follow_{kind}", alice, id=key)[0] == 409
    assert call(f"am_following_{kind}", alice, id=key) == (200, True)
    assert call(f"{kind}_follower_count", {}, id=key) == (200, 1)
    status, found = call("followee_list", alice, q=name)
    assert status == 200
    assert found[0]["type"] == kind  # type: ignore[index]
    assert found[0]["dict"]["name"] == key  # type: ignore[index]
    listed = call(f"{kind}_followee_list", alice)[1]
    assert [one["name"] for one in listed] == [key]  # type: ignore[attr-defined]
    assert call(f"unfollow_{kind}", alice, id=key)[0] == 200
    assert call(f"unfollow_{kind}", alice, id=key)[0] == 404
    assert call(f"follow_{kind}", alice, id="no-such")[0] == 404


def test_the_buttons_of_a_data_set_follow_its_agency_and_theme(site: Site) -> None:
    alice = site.browser("alice")
    page = alice.page(f"/dataset/{site.slug}")
    addresses = re.findall(r'action="(/topics/[^"]+/follow)"', page)
    assert len(addresses) == 2
    for address in addresses:
        alice.submit(address, f"/dataset/{site.slug}")
    listed = alice.page("/follows")
    assert "吉林省交通运输厅" in listed
    for address in re.findall(r'action="(/topics/[^"]+/unfollow)"', listed):
        alice.submit(address, "/follows")
    assert "/topics/" not in alice.page("/follows")
    assert alice.submit("/topics/town/x/follow", "/follows").status_code == 404
