"""Fixtures of the harvesters' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from harvesters.codes import CodeBook
from harvesters.record import Codes
from portal.codes import all_code_names
from portal.net import guarded_session
from tests.harvesters.replay import ReplayServer


@pytest.fixture(scope="session")
def codes() -> Codes:
    return all_code_names()


@pytest.fixture(scope="session")
def book(codes: Codes) -> CodeBook:
    return CodeBook(codes)


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as running:
        yield running


@pytest.fixture
def http(server: ReplayServer) -> requests.Session:
    """The session that the portal hands to harvesters, with the replay server let through."""
    return guarded_session(allowed_hosts=frozenset({server.address}), read_timeout=5)


class Naps:
    """Stands for `time.sleep`: remembers how long was to be waited, and does not wait."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def naps() -> Naps:
    return Naps()
