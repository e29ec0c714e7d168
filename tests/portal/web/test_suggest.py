"""Suggestions while typing: kinds, what others found, limits, and what is never offered."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from portal.services.search_suggestions import KEPT_SECONDS, Suggester
from portal.web import suggest
from tests.portal.web.conftest import Site


def offered(client: FlaskClient, typed: str) -> list[dict[str, Any]]:
    answer = client.get("/search/suggest", query_string={"q": typed})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return list(answer.get_json()["suggestions"])


def search_as_many(site: Site, words: str, visitors: int = 5) -> None:
    for number in range(visitors):
        client = site.visitor()
        client.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
        assert client.get("/dataset", query_string={"q": words}).status_code == 200
    site.platform.searches.flush()


def test_titles_themes_and_organisations_are_offered(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened(title="交通流量月报")
    found = offered(visitor, "交通")
    assert {one["kind"] for one in found} == {"dataset", "theme", "organisation"}
    first = found[0]
    assert (first["text"], first["url"]) == ("交通流量月报", f"/dataset/{slug}")
    assert [one["text"] for one in found if one["kind"] == "organisation"] == ["吉林省交通运输厅"]
    for one in found:
        assert visitor.get(one["url"]).status_code == 200, one
    assert [one["text"] for one in offered(visitor, "jtll")] == ["交通流量月报"]
    assert offered(visitor, "liuliang")[0]["text"] == "交通流量月报"


@pytest.mark.parametrize("typed", ["", "  ", "?!", "火星", "\0", "公" * 5_000, "(qq+)+$", "\u202e"])
def test_nothing_to_offer_is_no_error(site: Site, visitor: FlaskClient, typed: str) -> None:
    site.opened(title="交通流量月报")
    assert offered(visitor, typed) == []


def test_what_several_visitors_found_is_offered_and_no_person_is(
    site: Site, visitor: FlaskClient
) -> None:
    site.opened(title="交通流量月报")
    search_as_many(site, "流量 月报")
    search_as_many(site, "流量 13800138000")
    search_as_many(site, "流量计划书", visitors=9)
    search_as_many(site, "流量", visitors=4)
    found = [one for one in offered(visitor, "流") if one["kind"] == "search"]
    assert [one["text"] for one in found] == ["流量 月报"]
    assert "月报" in visitor.get(found[0]["url"]).text


def test_a_past_search_is_offered_no_more_once_nothing_public_has_its_words(
    site: Site, visitor: FlaskClient
) -> None:
    slug = site.opened(title="交通流量月报")
    search_as_many(site, "流量 月报")
    assert offered(visitor, "流量")
    site.retire(slug, "不再公开", settle=False)
    assert offered(visitor, "流量") == []
    assert {one["kind"] for one in offered(visitor, "liu")} == {"theme"}


def test_names_and_searches_are_kept_for_some_minutes(site: Site) -> None:
    now = [0.0]
    suggester = Suggester(site.platform.clock, lambda: now[0])
    site.opened(title="交通流量月报")

    def kinds() -> set[str]:
        with site.platform.database.reading() as session:
            return {one.kind for one in suggester.suggest(session, site.platform.engine, "流量")}

    assert kinds() == {"dataset"}
    search_as_many(site, "流量 月报")
    assert kinds() == {"dataset"}
    now[0] = KEPT_SECONDS
    assert kinds() == {"dataset", "search"}


def test_too_many_from_one_address_are_refused(
    site: Site, visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggest, "MOST_A_MINUTE", 3)
    answers = [visitor.get("/search/suggest?q=a") for _ in range(8)]  # a minute may begin meanwhile
    assert 429 in {one.status_code for one in answers}
    refused = next(one for one in answers if one.status_code == 429)
    assert int(refused.headers["Retry-After"]) > 0
