"""The Action API as clients see it: a platform with accounts, and one caller for each role."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from portal.app import create_app
from portal.jobs.worker import Worker
from portal.models.account import get_account
from portal.models.organisation import get_organisation
from portal.platform import Platform
from portal.services.accounts import create_account, create_token
from tests.factories import BUREAU, HEALTH, PASSWORD, TRANSPORT, Catalogue, People

ROLES = {
    "admin": ("bureau_admin", BUREAU),
    "reviewer": ("bureau_reviewer", BUREAU),
    "editor": ("agency_editor", TRANSPORT),
    "department": ("responsible_dept", TRANSPORT),
    "stranger": ("agency_editor", HEALTH),
}


@dataclass
class Caller:
    """Calls actions in one role; `answers` are (status, decoded body)."""

    app: Flask
    token: str = ""

    def send(self, method: str, action: str, **kwargs: Any) -> TestResponse:
        headers = {"Authorization": self.token, **kwargs.pop("headers", {})}
        path = kwargs.pop("path", "/api/3/action/")
        return self.app.test_client().open(path + action, method=method, headers=headers, **kwargs)

    def get(self, action: str, **params: Any) -> Any:
        return self.send("GET", action, query_string=params).get_json()

    def post(self, action: str, data: Any = None, **more: Any) -> Any:
        return self.send("POST", action, json={**(data or {}), **more}).get_json()

    def result(self, action: str, data: Any = None, **more: Any) -> Any:
        answer = self.post(action, data, **more)
        assert answer["success"], answer
        return answer["result"]

    def refused(self, action: str, data: Any = None, **more: Any) -> tuple[int, dict[str, Any]]:
        response = self.send("POST", action, json={**(data or {}), **more})
        answer = response.get_json()
        assert answer["success"] is False
        return response.status_code, answer["error"]


@dataclass
class World:
    platform: Platform
    app: Flask
    callers: dict[str, Caller]

    def __getattr__(self, role: str) -> Caller:
        try:
            return self.callers[role]
        except KeyError:
            raise AttributeError(role) from None

    def index(self) -> None:
        """Run every job and bring the index up."""
        Worker(self.platform).run_until_idle()

    def publish(self, make: Callable[[Catalogue], Any]) -> str:
        """Let factories make an entry and commit it; return its name."""
        with self.platform.database.writing() as session:
            made = make(Catalogue(self.platform, session, People(self.platform, session)))
            entry = made if hasattr(made, "slug") else made.entry
            session.flush()
            name = str(entry.slug)
        self.index()
        return name


def _account(platform: Platform, session: Session, name: str) -> str:
    role, organisation = ROLES[name]
    create_account(
        session,
        platform.clock,
        username=name,
        password=PASSWORD,
        memberships=[(role, get_organisation(session, organisation))],
    )
    return create_token(session, platform.clock, get_account(session, name))


@pytest.fixture
def world(platform: Platform) -> World:
    with platform.database.writing() as session:
        tokens = {name: _account(platform, session, name) for name in ROLES}
    app = create_app(platform)
    callers = {name: Caller(app, token) for name, token in tokens.items()}
    return World(platform, app, {**callers, "visitor": Caller(app)})
