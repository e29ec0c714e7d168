"""An upload in parts goes on where it was: after a killed server, after a cut connection."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from sqlalchemy import select

from portal.jobs.worker import Worker
from portal.models import DataVersion, PartialUpload
from portal.platform import Platform
from portal.services.uploads import LEASE_SECONDS
from tests.factories import PASSWORD, TRANSPORT, People, SetClock
from tests.faults.working import committing, wait_until
from tests.platforms import SECRET
from tests.portal.web.work.conftest import _Forms
from tests.services.portal_nodes import WebNode
from tests.services.s3 import S3Server

SIZE = 24 * 1024 * 1024
PART = 8 * 1024 * 1024


@dataclass
class Sender:
    """A signed-in program that sends one file in parts to a real server."""

    http: requests.Session
    url: str
    headers: dict[str, str]
    data: bytes
    path: str = ""

    @classmethod
    def signed_in(cls, url: str, username: str, data: bytes) -> Sender:
        http = requests.Session()
        http.trust_env = False
        token = _token(http.get(f"{url}/login").text)
        given = {"username": username, "password": PASSWORD, "csrf_token": token}
        assert http.post(f"{url}/login", data=given, allow_redirects=False).status_code == 302
        token = _token(http.get(f"{url}/account").text)
        headers = {"Tus-Resumable": "1.0.0", "X-CSRFToken": token}
        return cls(http, url, headers, data)

    def begin(self, slug: str) -> None:
        said = {"entry": slug, "filename": "大文件.bin", "sha256": _sha256(self.data)}
        pairs = (f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in said.items())
        headers = {"Upload-Length": str(len(self.data)), "Upload-Metadata": ",".join(pairs)}
        answer = self.http.post(f"{self.url}/work/uploads", headers={**self.headers, **headers})
        assert answer.status_code == 201, answer.text
        self.path = answer.headers["Location"]

    def offset(self) -> int:
        answer = self.http.head(self.url + self.path, headers=self.headers)
        assert answer.status_code == 200, answer.status_code
        return int(answer.headers["Upload-Offset"])

    def part(self, offset: int) -> int:
        headers = self._headers_of_part(offset)
        body = self.data[offset : offset + PART]
        return self.http.patch(
            self.url + self.path, data=body, headers={**self.headers, **headers}, timeout=60
        ).status_code

    def half_a_part(self, offset: int) -> socket.socket:
        """Send half of a part and keep the connection open."""
        place = urlsplit(self.url)
        connection = socket.create_connection((place.hostname or "", place.port or 80))
        cookie = "; ".join(f"{c.name}={c.value}" for c in self.http.cookies)
        lines = {
            "Host": place.netloc,
            "Cookie": cookie,
            "Content-Length": str(PART),
            **self.headers,
            **self._headers_of_part(offset),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        connection.sendall(f"PATCH {self.path} HTTP/1.1\r\n{head}\r\n".encode())
        connection.sendall(self.data[offset : offset + PART // 2 + 1000])
        return connection

    def _headers_of_part(self, offset: int) -> dict[str, str]:
        return {
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
        }

    def rest(self) -> None:
        """Send what is missing, as a client does that tries again."""
        deadline = time.monotonic() + LEASE_SECONDS + 40
        while (offset := self.offset()) < len(self.data):
            assert time.monotonic() < deadline
            if self.part(offset) != 204:
                time.sleep(0.5)


def _token(page: str) -> str:
    parser = _Forms()
    parser.feed(page)
    return next(v for form in parser.forms for n, v in form.fields if n == "csrf_token")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Place:
    """A platform with an entry, and how to start its web server."""

    platform: Platform
    slug: str
    username: str
    environment: dict[str, str]
    folder: Path
    clock: SetClock

    def server(self, name: str) -> WebNode:
        node = WebNode(self.folder / name, self.environment)
        node.start()
        return node


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.s3)])
def place(
    request: pytest.FixtureRequest,
    make_platform: Callable[..., Platform],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clock: SetClock,
) -> Place:
    clock.now = datetime.now(UTC)
    more: dict[str, str] = {}
    settings: dict[str, str] = {}
    if request.param == "s3":
        server: S3Server = request.getfixturevalue("s3_server")
        more = server.environment
        for name, value in more.items():
            monkeypatch.setenv(name, value)
        settings = {
            "storage_url": f"s3://{server.bucket}",
            "s3_endpoint_url": server.endpoint_url,
        }
    platform = make_platform("sqlite", **settings)
    with committing(platform) as catalogue:
        slug = catalogue.published().slug
        people: People = catalogue._people
        username = people.account("agency_editor", TRANSPORT).username
    environment = {
        "XIANGYUN_HOME": str(platform.settings.home), "XIANGYUN_SECRET_KEY": SECRET, **more,
    }  # fmt: skip
    return Place(platform, slug, username, environment, tmp_path, clock)


@pytest.fixture
def data() -> bytes:
    return os.urandom(1024) * (SIZE // 1024)


def _whole(place: Place, data: bytes) -> None:
    """Bring the upload to its end; what is stored is what was sent, and nothing is left over."""
    place.clock.now = datetime.now(UTC)
    Worker(place.platform).run_until_idle()
    with place.platform.database.reading() as session:
        assert session.scalars(select(PartialUpload.stage)).one() == "done"
        version = session.scalars(select(DataVersion)).one()
        assert version.sha256 == _sha256(data)
    assert b"".join(place.platform.storage.open(version.sha256)) == data
    parts = dict(place.platform.storage.parts.list())
    with place.platform.database.reading() as session:
        assert session.scalars(select(PartialUpload.public_id)).one() not in parts


@pytest.mark.slow
def test_a_server_killed_in_mid_part_loses_nothing_that_counted(place: Place, data: bytes) -> None:
    first = place.server("first")
    sender = Sender.signed_in(first.url, place.username, data)
    sender.begin(place.slug)
    assert sender.part(0) == 204
    with sender.half_a_part(PART):
        wait_until(lambda: sender.offset() > PART, 30)
        counted = sender.offset()
        assert sender.part(counted) == 423, "two writers at once"
        first.kill()
    with place.platform.database.reading() as session:
        assert session.scalars(select(DataVersion.id)).all() == []
    second = place.server("second")
    try:
        sender.url = second.url
        assert sender.offset() == counted
        sender.rest()
    finally:
        second.stop()
    _whole(place, data)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["local"], indirect=True)
def test_a_cut_connection_keeps_what_came(place: Place, data: bytes) -> None:
    node = place.server("web")
    try:
        sender = Sender.signed_in(node.url, place.username, data)
        sender.begin(place.slug)
        sender.half_a_part(0).close()
        wait_until(lambda: sender.offset() > 0, 30)
        assert sender.offset() < PART
        sender.rest()
    finally:
        node.stop()
    _whole(place, data)
