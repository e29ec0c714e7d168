"""What attacks share: an opened entry, every route with an address, tokens and cookies."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from portal.jobs.worker import Worker
from tests.factories import PASSWORD, Catalogue, People, content
from tests.portal.web.work.conftest import Office, forms_of

ROWS = "编号,名称\n" + "".join(f"{n:06d},第{n}站\n" for n in range(1, 31))


def open_entry(
    office: Office, data: bytes = ROWS.encode(), filename: str = "站点.csv", **changes: Any
) -> tuple[str, str]:
    """Publish and open an entry with one file; return its slug and the file's public id."""

    def make(catalogue: Catalogue, people: People) -> tuple[str, str]:
        place = catalogue.planned(content(**changes))
        file = catalogue.file(place.entry, data, filename)
        catalogue.open_list.publish(people.agency_reviewer, place)
        return place.entry.slug, file.public_id

    slug, file_id = office.made(make)
    Worker(office.platform).run_until_idle()
    return slug, file_id


def routes(app: Flask, method: str) -> list[tuple[Rule, str]]:
    """Return every rule that takes the method, with an address that fits it."""
    with app.test_request_context():
        return [
            (rule, app.url_for(rule.endpoint, **{n: _value(rule, n) for n in rule.arguments}))
            for rule in app.url_map.iter_rules()
            if method in (rule.methods or ())
        ]


def _value(rule: Rule, name: str) -> Any:
    converter = rule._converters[name]
    choices = getattr(converter, "items", None)  # a rule such as <any(ttl, rdf):ending>
    if choices:
        return sorted(choices)[0]
    is_number = "Integer" in type(converter).__name__
    return 1 if is_number else "css/tokens.css" if rule.endpoint == "static" else "a"


def is_page(app: Flask, rule: Rule) -> bool:
    """True for a route that a browser's cookie opens; APIs have credentials of their own."""
    return rule.endpoint.split(".")[0] not in app.config["API_BLUEPRINTS"]


def csrf_token(client: FlaskClient, path: str = "/login") -> str:
    page = client.get(path)
    return next(v for f in forms_of(page) for n, v in f.fields if n == "csrf_token")


def log_in(
    client: FlaskClient, username: str, password: str = PASSWORD, **more: str
) -> TestResponse:
    data = {"username": username, "password": password, "csrf_token": csrf_token(client), **more}
    return client.post("/login", data=data)


def cookie_of(client: FlaskClient) -> str:
    found = client.get_cookie("xiangyun")
    return found.value if found else ""
