"""A client that signs in, reads forms as a browser does, and posts them with their hidden fields."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from portal.app import create_app
from portal.platform import Platform
from tests.factories import PASSWORD, TRANSPORT, Catalogue, People


@dataclass
class Form:
    """A form of a page with the values a browser would send if its first button were pressed."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    text: str = ""

    def values(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in self.fields:
            found.setdefault(name, []).append(value)
        return found


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select = self._area = ""
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {k: v if v is not None else "" for k, v in attrs}
        if tag == "form":
            self._form = Form(given.get("action", ""))
            self.forms.append(self._form)
        if self._form is None:
            return
        name = given.get("name", "")
        if tag == "input" and name:
            kind = given.get("type", "text")
            if kind in ("checkbox", "radio"):
                if "checked" in given:
                    self._form.fields.append((name, given.get("value", "on")))
            elif kind not in ("submit", "file"):
                self._form.fields.append((name, given.get("value", "")))
        elif tag == "select":
            self._select = name
            self._form.fields.append((name, ""))
        elif tag == "option" and self._select and "selected" in given:
            self._form.fields[-1] = (self._select, given.get("value", ""))
        elif tag == "textarea":
            self._area, self._text = name, []

    def handle_data(self, data: str) -> None:
        if self._area:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea" and self._form is not None:
            text = "".join(self._text)
            self._form.fields.append((self._area, text[1:] if text[:1] == "\n" else text))
            self._area = ""


def forms_of(response: TestResponse) -> list[Form]:
    parser = _Forms()
    parser.feed(response.text)
    return parser.forms


class Browser:
    """One person's browser without script."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, status: int = 200) -> TestResponse:
        response = self.client.get(path)
        assert response.status_code == status, (path, response.status_code, text_of(response))
        return response

    def form(self, path: str, action: str) -> Form:
        """Return the form of a page whose action ends so; the page must show it."""
        for found in forms_of(self.get(path)):
            if found.action.endswith(action):
                return found
        raise AssertionError(f"{path} shows no form to {action}")

    def send(self, form: Form, status: int = 303, /, **values: Any) -> TestResponse:
        """Send the form with some values changed (lists for repeated ones, None to leave out)."""
        given: dict[str, Any] = form.values()
        for name, value in values.items():
            given[name.replace("__", ".")] = value
        response = self.client.post(
            form.action, data={k: v for k, v in given.items() if v is not None}
        )
        assert response.status_code == status, (response.status_code, text_of(response))
        return response

    def submit(self, path: str, where: str, status: int = 303, /, **values: Any) -> TestResponse:
        return self.send(self.form(path, where), status, **values)

    def token(self) -> str:
        return self.form("/account", "/account/password").values()["csrf_token"][0]


def text_of(response: TestResponse) -> str:
    body = re.sub(r"<(script|style).*?</\1>", "", response.text, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).strip()


@dataclass
class Office:
    """The platform with its people; everything committed, as requests see it."""

    platform: Platform
    app: Flask
    _usernames: dict[tuple[str, str, int], str] = field(default_factory=dict)

    def browser(self, role: str, organisation: str = TRANSPORT, number: int = 1) -> Browser:
        """Sign in as somebody of a role and return the browser."""
        client = self.app.test_client()
        page = client.get("/login")
        token = next(v for f in forms_of(page) for n, v in f.fields if n == "csrf_token")
        data = {
            "username": self.username(role, organisation, number),
            "password": PASSWORD,
            "csrf_token": token,
        }
        assert client.post("/login", data=data).status_code == 302
        return Browser(client)

    def username(self, role: str, organisation: str, number: int = 1) -> str:
        key = (role, organisation, number)
        if key not in self._usernames:
            with self.platform.database.writing() as session:
                people = People(self.platform, session)
                self._usernames[key] = people.account(role, organisation, number=number).username
        return self._usernames[key]

    def made(self, make: Callable[[Catalogue, People], Any]) -> Any:
        """Make something through the real services and commit it; return what `make` returns."""
        with self.platform.database.writing() as session:
            people = People(self.platform, session)
            return make(Catalogue(self.platform, session, people), people)

    def read(self, look: Callable[[Session], Any]) -> Any:
        with self.platform.database.reading() as session:
            return look(session)


@pytest.fixture
def office(make_platform: Callable[..., Platform]) -> Office:
    platform = make_platform("sqlite")
    return Office(platform, create_app(platform))


@pytest.fixture
def editor(office: Office) -> Browser:
    return office.browser("agency_editor")


@pytest.fixture
def department(office: Office) -> Browser:
    return office.browser("responsible_dept")


@pytest.fixture
def reviewer(office: Office) -> Browser:
    return office.browser("agency_reviewer")


@pytest.fixture
def officer(office: Office) -> Browser:
    return office.browser("agency_security_officer")


@pytest.fixture
def bureau(office: Office) -> Browser:
    return office.browser("bureau_reviewer", "JL-BUR")


@pytest.fixture
def admin(office: Office) -> Browser:
    return office.browser("bureau_admin", "JL-BUR")
