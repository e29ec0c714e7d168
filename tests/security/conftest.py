"""The whole application with its people, to be attacked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from portal.app import create_app
from portal.platform import Platform
from tests.portal.web.work.conftest import Office


@pytest.fixture
def office(make_platform: Callable[..., Platform]) -> Office:
    platform = make_platform("sqlite")
    return Office(platform, create_app(platform))


@pytest.fixture
def visitor(office: Office) -> FlaskClient:
    return office.app.test_client()
