"""Every route, action and permission says who may use it, and the anonymous are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.routing import Rule

from portal import permissions
from portal.app import create_app
from portal.codes import code_list
from portal.platform import Platform
from portal.web.access import Access, access_of


@pytest.fixture
def app(make_platform: Callable[..., Platform]) -> Flask:
    return create_app(make_platform("sqlite"))


def _path(rule: Rule) -> str:
    values = dict.fromkeys(rule.arguments, "1")
    return rule.build(values, append_unknown=False)[1]  # type: ignore[index]


def test_every_route_is_declared(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        assert access_of(app, rule.endpoint) in set(Access), rule.endpoint


def test_the_anonymous_are_refused_wherever_a_route_is_not_public(app: Flask) -> None:
    client = app.test_client()
    app.config["WTF_CSRF_ENABLED"] = False
    walked = 0
    for rule in app.url_map.iter_rules():
        if access_of(app, rule.endpoint) is Access.PUBLIC:
            continue
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
            answer = client.open(_path(rule), method=method)
            to_login = answer.status_code == 302 and "/login" in answer.headers["Location"]
            assert to_login or answer.status_code in (401, 405), (
                rule.endpoint,
                method,
                answer.status,
            )
            walked += 1
    assert walked > 0


def test_no_writing_route_answers_get(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if access_of(app, rule.endpoint) is Access.WRITE:
            assert "GET" not in (rule.methods or set()), rule.endpoint


def test_forms_without_a_csrf_token_are_refused(app: Flask) -> None:
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        blueprint = rule.endpoint.split(".")[0]
        if "POST" not in (rule.methods or set()) or blueprint in app.config["API_BLUEPRINTS"]:
            continue
        answer = client.post(_path(rule))
        assert answer.status_code in (302, 400, 401), (rule.endpoint, answer.status)


def test_every_permission_has_rules() -> None:
    rules = permissions.all_rules()
    for permission in permissions.Permission:
        assert rules[permission], permission
        assert all(row for row in rules[permission]), permission


def test_every_role_acts_as_actors_that_the_tables_name() -> None:
    for role in code_list("roles"):
        assert role["acts_as"], role.code
