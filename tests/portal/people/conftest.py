"""An office that sends mail by a real server, and what tests of people need of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.app import create_app
from portal.jobs.worker import Worker
from portal.models import Account
from portal.platform import Platform
from tests.factories import PASSWORD, TRANSPORT
from tests.mailbox import Mailbox
from tests.portal.web.work.conftest import Browser, Office, forms_of

NEW_PASSWORD = "长春的冬天很冷要多穿衣"


@dataclass
class PostOffice(Office):
    mailbox: Mailbox | None = None

    def deliver(self) -> None:
        Worker(self.platform).run_until_idle()

    def link(self, number: int = -1) -> str:
        assert self.mailbox is not None
        return self.mailbox.link(number)

    def visitor(self) -> Browser:
        return Browser(self.app.test_client())

    def account(self, username: str) -> Account:
        found = self.read(
            lambda s: s.scalars(select(Account).where(Account.username == username)).one()
        )
        assert isinstance(found, Account)
        return found

    def set_address(self, role: str, organisation: str = TRANSPORT, number: int = 1) -> str:
        """Give somebody a verified address; return it."""
        username = self.username(role, organisation, number)
        address = f"{username}@example.cn".replace("_", "-")
        with self.platform.database.writing() as session:
            account = session.scalars(select(Account).where(Account.username == username)).one()
            account.email, account.email_verified_at = address, self.platform.clock()
        return address


def log_in(client: FlaskClient, username: str, password: str = PASSWORD) -> TestResponse:
    page = client.get("/login")
    token = next(v for f in forms_of(page) for n, v in f.fields if n == "csrf_token")
    data = {"username": username, "password": password, "csrf_token": token}
    return client.post("/login", data=data)


def token_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["token"][0]


@pytest.fixture
def post_office(
    make_platform: Callable[..., Platform], mailbox: Mailbox, settings: dict[str, Any]
) -> PostOffice:
    platform = make_platform("sqlite", smtp_url=mailbox.url, **settings)
    return PostOffice(platform, create_app(platform), mailbox=mailbox)


@pytest.fixture
def settings() -> dict[str, Any]:
    """Further settings of the post office; a file or class overrides it."""
    return {}
