"""Attacks on the served process: what it logs, and requests that no well-behaved client sends."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from portal.models.account import find_account
from portal.platform import Platform
from portal.services.accounts import create_token
from tests.factories import PASSWORD, TRANSPORT, People
from tests.platforms import SECRET
from tests.portal.web.work.conftest import Form, _Forms
from tests.services.portal_nodes import WebNode

pytestmark = pytest.mark.slow


class Server:
    """A served portal on SQLite, an account on it, and its log."""

    def __init__(self, platform: Platform, node: WebNode) -> None:
        self.node = node
        with platform.database.writing() as session:
            account = People(platform, session).account("agency_editor", TRANSPORT)
            self.username = account.username
            found = find_account(session, account.username)
            assert found is not None
            self.token = create_token(session, platform.clock, found)

    @property
    def url(self) -> str:
        return self.node.url

    def browser(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        return session

    def lines(self) -> list[str]:
        return self.node.log.read_text("utf-8", "replace").splitlines()


@pytest.fixture
def server(make_platform: Callable[..., Platform], tmp_path: Path) -> Iterator[Server]:
    platform = make_platform("sqlite")
    settings = platform.settings
    node = WebNode(
        tmp_path / "web", {"XIANGYUN_HOME": str(settings.home), "XIANGYUN_SECRET_KEY": SECRET}
    )
    node.start()
    try:
        yield Server(platform, node)
    finally:
        node.stop()


def _form(page: requests.Response) -> Form:
    parser = _Forms()
    parser.feed(page.text)
    return next(form for form in parser.forms if form.action == "/login")


def test_the_log_holds_no_password_token_or_cookie(server: Server) -> None:
    browser = server.browser()
    form = _form(browser.get(f"{server.url}/login?next=/work%3Fkey=s3cret-in-a-query"))
    data = {**form.values(), "username": server.username}
    browser.post(f"{server.url}/login", data={**data, "password": "s3cret-and-wrong"})
    answer = browser.post(
        f"{server.url}/login", data={**data, "password": PASSWORD}, allow_redirects=False
    )
    csrf = data["csrf_token"][0]
    action = f"{server.url}/api/3/action/"
    headers = {"Authorization": server.token}
    assert browser.get(f"{action}package_list", headers=headers).status_code == 200
    browser.post(f"{action}package_create", headers=headers, json={"title": 1, "private": []})
    browser.get(f"{action}package_show?id=%00", headers={"X-CKAN-API-Key": server.token})
    browser.get(f"{server.url}/data/v1/none", headers={"Authorization": "Bearer xyk_s3cret-key"})
    lines = server.lines()
    requested = [json.loads(line) for line in lines if '"event": "request"' in line]
    assert len(requested) >= 6
    assert {found["path"] for found in requested} >= {"/login", "/api/3/action/package_list"}
    secrets = ("s3cret", PASSWORD, server.token, csrf, SECRET, answer.headers["Set-Cookie"][:60])
    for line in lines:
        assert not [secret for secret in secrets if secret in line], line


def test_cve_2024_27097_no_request_forges_a_line_of_the_log(server: Server) -> None:
    """CKAN: line ends in an id were written to the log as they came."""
    forged = "%0d%0a%7B%22event%22:%20%22request%22,%20%22path%22:%20%22/forged%22%7D%1b%5b31m"
    browser = server.browser()
    browser.get(f"{server.url}/dataset/{forged}")
    browser.get(f"{server.url}/api/3/action/package_show?id={forged}")
    browser.get(f"{server.url}/", headers={"X-Request-Id": 'x", "path": "/forged'})
    for line in server.lines():
        assert "\x1b" not in line
        if line.startswith("{"):
            assert json.loads(line).get("path") != "/forged"


def _raw(server: Server, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.node.port), timeout=20) as connection:
        connection.sendall(request)
        with contextlib.suppress(OSError):  # the server may have hung up already
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


HEAD = b"Host: localhost\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /static/../../../../etc/passwd HTTP/1.1\r\n" + HEAD + b"\r\n",
        b"GET /static/..%2f..%2f..%2f..%2fetc%2fpasswd HTTP/1.1\r\n" + HEAD + b"\r\n",
        b"GET //etc/passwd HTTP/1.1\r\n" + HEAD + b"\r\n",
        b"GET /dataset/\xff\xfe HTTP/1.1\r\n" + HEAD + b"\r\n",
        b"GET /login HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        b"POST /login HTTP/1.1\r\n" + HEAD + b"Content-Length: -5\r\n\r\n",
        b"POST /login HTTP/1.1\r\n"
        + HEAD
        + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /work HTTP/1.1\r\n\r\n",
        b"TRACE / HTTP/1.1\r\n" + HEAD + b"\r\n",
        b"GET / HTTP/1.1\r\n" + HEAD + b"Cookie: xiangyun=" + b"x" * 60_000 + b"\r\n\r\n",
        b"GARBAGE\r\n\r\n",
    ],
)
def test_malformed_requests_harm_nothing(server: Server, request_bytes: bytes) -> None:
    answer = _raw(server, request_bytes)
    assert b"root:" not in answer
    assert b"Traceback" not in answer
    assert answer[:12] not in (b"HTTP/1.1 500", b"HTTP/1.1 503")
    assert answer.count(b"HTTP/1.1 ") <= 1, "one request was answered as two"
    assert server.browser().get(f"{server.url}/health").status_code == 200


def test_a_body_without_a_length_is_held_to_the_limit_too(server: Server) -> None:
    def endless() -> Iterator[bytes]:
        yield b"csrf_token=x&username="
        for _ in range(600):
            yield b"x" * 1024

    answer = server.browser().post(
        f"{server.url}/login",
        data=endless(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code in (400, 413)
    assert server.browser().get(f"{server.url}/health").status_code == 200


def test_the_server_tells_no_version(server: Server) -> None:
    answer = server.browser().get(f"{server.url}/login")
    assert not any(c.isdigit() for c in answer.headers.get("Server", ""))
    assert "X-Powered-By" not in answer.headers
