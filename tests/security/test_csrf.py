"""No foreign page makes a browser write: every form asks for the token of its session."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.portal.web.work.conftest import Browser, Office, forms_of
from tests.security.attacking import csrf_token, is_page, log_in, routes

PAGES = (
    "/work",
    "/work/entries",
    "/work/entries/new",
    "/work/open-list",
    "/work/import",
    "/work/accounts",
    "/account",
    "/notices",
)


def _admin(office: Office) -> Browser:
    return office.browser("bureau_admin", "JL-BUR")


def test_every_page_route_that_writes_refuses_a_request_without_the_token(office: Office) -> None:
    browser = _admin(office)
    writing = [(r, path) for r, path in routes(office.app, "POST") if is_page(office.app, r)]
    assert len(writing) > 30
    for rule, path in writing:
        for data in ({}, {"csrf_token": "x"}, {"csrf_token": csrf_token(office.app.test_client())}):
            answer = browser.client.post(path, data=data)
            assert answer.status_code == 400, (rule.rule, data, answer.status_code)
            assert "页面已过期" in answer.text


def test_the_token_of_another_session_is_worth_nothing(office: Office) -> None:
    victim, attacker = _admin(office), office.browser("agency_editor")
    form = victim.form("/work/accounts", "/work/accounts")
    foreign = {**form.values(), "csrf_token": attacker.token()}
    assert victim.client.post(form.action, data=foreign).status_code == 400


def test_every_form_on_the_work_pages_carries_the_token(office: Office) -> None:
    browser = _admin(office)
    seen = 0
    for path in PAGES:
        answer = browser.client.get(path)
        for form in forms_of(answer):
            if "csrf_token" in form.values():
                seen += 1
        posting = answer.text.lower().count('method="post"')
        tokens = answer.text.count('name="csrf_token"')
        assert tokens >= posting, path
    assert seen > 5


def test_a_get_changes_nothing(office: Office) -> None:
    browser = _admin(office)
    for rule, path in routes(office.app, "POST"):
        if is_page(office.app, rule) and "GET" not in _methods(office, rule.rule):
            assert browser.client.get(path).status_code in (404, 405), rule.rule


def _methods(office: Office, rule: str) -> set[str]:
    return {m for r in office.app.url_map.iter_rules() if r.rule == rule for m in r.methods or ()}


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_a_method_override_is_not_heard(office: Office, name: str) -> None:
    browser = _admin(office)
    browser.client.get("/logout", headers={name: "POST"})
    browser.client.get("/logout?_method=POST")
    assert browser.client.get("/work").status_code == 200
    answer = browser.client.post("/work", headers={name: "GET"}, data={})
    assert answer.status_code in (400, 405)


def test_cve_2026_41255_no_earlier_request_switches_the_protection_off(office: Office) -> None:
    """CKAN: one anonymous request could switch the check off for the whole process."""
    visitor = office.app.test_client()
    visitor.get("/")
    visitor.get("/api/3/action/status_show")
    visitor.post("/api/3/action/package_search", json={"q": "水"})
    visitor.post("/api/3/action/package_create", json={}, headers={"Authorization": "xy_bad"})
    visitor.post("/login", data={})
    browser = _admin(office)
    for path in ("/logout", "/work/accounts", "/account/tokens"):
        assert browser.client.post(path, data={}).status_code == 400
    assert browser.client.get("/work").status_code == 200


def test_the_cookie_opens_no_api(office: Office) -> None:
    """An API without a token check must not act for whoever's browser is made to call it."""
    browser = _admin(office)
    answer = browser.client.post("/api/3/action/organization_create", json={"name": "evil"})
    assert answer.status_code == 403
    show = browser.client.get("/api/3/action/organization_list_for_user")
    assert show.status_code == 403 or show.json["result"] == []


def test_signing_in_asks_for_the_token_too(visitor: FlaskClient, office: Office) -> None:
    """Otherwise a foreign page could sign a visitor in as somebody else."""
    name = office.username("agency_editor", "JL-TRA")
    data = {"username": name, "password": "correct horse battery"}
    assert visitor.post("/login", data=data).status_code == 400
    assert log_in(visitor, name).status_code == 302
