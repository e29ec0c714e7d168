"""How much anybody may ask: requests a minute, bytes a body, fields a form, depth of a page."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from portal.app import create_app
from portal.platform import Platform
from tests.portal.web.work.conftest import Office
from tests.security.attacking import csrf_token, open_entry


@pytest.fixture
def limited(make_platform: Callable[..., Platform]) -> FlaskClient:
    return create_app(make_platform("sqlite", anonymous_rate=20)).test_client()


def test_too_many_requests_are_refused_with_when_to_come_back(limited: FlaskClient) -> None:
    statuses = [limited.get("/login").status_code for _ in range(45)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    refused = limited.get("/login")
    assert int(refused.headers["Retry-After"]) > 0
    assert "操作过于频繁" in refused.text
    api = limited.get("/api/3/action/status_show")
    assert api.status_code == 429
    assert "Retry-After" in api.headers


def test_a_spoofed_address_is_the_same_caller(limited: FlaskClient) -> None:
    """No proxy is trusted, so what the header says is what the attacker says."""
    for n in range(45):
        headers = {"X-Forwarded-For": f"203.0.113.{n}", "X-Real-IP": f"203.0.113.{n}"}
        last = limited.get("/login", headers=headers)
    assert last.status_code == 429


def test_an_ipv6_network_is_one_caller(limited: FlaskClient) -> None:
    for n in range(45):
        last = limited.get("/login", environ_overrides={"REMOTE_ADDR": f"2001:db8::{n:x}"})
    assert last.status_code == 429
    other = limited.get("/login", environ_overrides={"REMOTE_ADDR": "2001:db8:1::1"})
    assert other.status_code == 200


def test_pages_that_are_not_there_count_too(limited: FlaskClient) -> None:
    assert [limited.get(f"/none-{n}").status_code for n in range(45)][-1] == 429


def test_behind_a_trusted_proxy_the_last_address_it_saw_counts(
    make_platform: Callable[..., Platform],
) -> None:
    platform = make_platform("sqlite", anonymous_rate=20, trusted_proxies=1)
    client = create_app(platform).test_client()
    for n in range(45):
        last = client.get("/login", headers={"X-Forwarded-For": f"198.51.100.{n}, 203.0.113.7"})
    assert last.status_code == 429
    assert client.get("/login", headers={"X-Forwarded-For": "203.0.113.8"}).status_code == 200


def test_a_visitor_sends_no_big_body(visitor: FlaskClient) -> None:
    token = csrf_token(visitor)
    for data in (
        {"csrf_token": token, "username": "x" * 300_000},
        {"csrf_token": token, "file": (io.BytesIO(b"x" * 300_000), "a.csv")},
    ):
        answer = visitor.post("/login", data=data)
        assert answer.status_code == 413
        assert "超过允许的大小" in answer.text


def test_an_upload_over_the_limit_is_refused_and_leaves_nothing(
    make_platform: Callable[..., Platform],
) -> None:
    platform = make_platform("sqlite", max_upload_bytes=100_000)
    office = Office(platform, create_app(platform))
    slug = office.made(lambda catalogue, people: catalogue.published().slug)
    browser = office.browser("agency_editor")
    form = browser.form(f"/work/entries/{slug}/files", "/files")
    for size in (150_000, 3_000_000):
        file = (io.BytesIO(b"a,b\n" * (size // 4)), "a.csv")
        answer = browser.client.post(form.action, data={**form.values(), "file": file})
        assert answer.status_code == 413
    assert list(platform.storage.list()) == []


def test_a_form_with_very_many_fields_is_refused(visitor: FlaskClient) -> None:
    body = "&".join(f"f{n}=" for n in range(40_000))
    answer = visitor.post("/login", data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (400, 413)


@pytest.mark.parametrize(
    "query",
    [
        "page=-1",
        "page=0",
        "page=1000000000",
        "page=9" + "9" * 400,
        "page=1.5",
        "page=%00",
        "page=١",
        "sort=evil",
        "sort=title%27--",
        "theme=" + "x" * 3000,
        "q=" + "水" * 4000,
        "q=%22:*?()%5B%5D%7B%7D~^!%5C/",
        "q=title:secret%20OR%20*:*",
        "q=" + "(" * 2000,
        "q=%00",
        "q=%ff%fe",
        "organisation=a&organisation=b",
        "&".join(f"theme=t{n}" for n in range(400)),
    ],
)
def test_no_query_string_breaks_the_search_page(visitor: FlaskClient, query: str) -> None:
    assert visitor.get(f"/dataset?{query}").status_code in (200, 400, 404, 422)


@pytest.mark.parametrize(
    "query",
    ["rows=-1", "rows=1000000", "sort=evil", "f.编号=x", "page=-1", "page=99999999999", "q=%00"],
)
def test_no_query_string_breaks_the_preview(
    office: Office, visitor: FlaskClient, query: str
) -> None:
    slug, file_id = open_entry(office)
    for path in (f"/dataset/{slug}?{query}", f"/dataset/{slug}/resource/{file_id}/export?{query}"):
        assert visitor.get(path).status_code in (200, 400, 404, 422), path


def test_cve_2023_50248_a_crafted_field_costs_no_memory(visitor: FlaskClient) -> None:
    """CKAN: a form field named so as to make a list of a billion items."""
    for name in ("extras__999999999__key", "items.999999999.name", "a" + "[0]" * 5000):
        data = {name: "x", "csrf_token": csrf_token(visitor)}
        assert visitor.post("/login", data=data).status_code in (400, 401)
        answer = visitor.post("/api/3/action/package_search", data={name: "x"})
        assert answer.status_code in (200, 400, 409)


def test_crafted_rows_in_the_editor_cost_no_memory(office: Office) -> None:
    browser = office.browser("agency_editor")
    form = browser.form("/work/entries/new", "/work/entries/new")
    data = {**form.values(), "title": "标题", "items.999999999.name": "x", "items.-1.name": "y"}
    data |= {"items.1e9.name": "z", "items..name": "w"}
    assert browser.client.post(form.action, data=data).status_code in (303, 400, 422)


def test_deep_json_is_refused(visitor: FlaskClient) -> None:
    body = '{"q":' + "[" * 100_000 + "]" * 100_000 + "}"
    answer = visitor.post(
        "/api/3/action/package_search", data=body, content_type="application/json"
    )
    assert answer.status_code in (400, 409)
