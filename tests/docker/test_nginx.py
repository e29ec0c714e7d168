"""nginx before the portal: who the client is, files without the portal's help, a gone process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import requests

from tests.services.node import ServiceMissing, free_port
from tests.services.portal_nodes import NginxNode


class Echo(BaseHTTPRequestHandler):
    """Answers with the headers it got; under /file it leaves the bytes to nginx."""

    def do_GET(self) -> None:
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        if self.path == "/file":
            self.send_header("X-Accel-Redirect", "/_files/ab/cd/abcd")
            self.send_header("Content-Type", "application/octet-stream")
            body = b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Keep the tests' output quiet."""


@pytest.fixture(scope="module")
def upstream_port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "ab" / "cd").mkdir(parents=True)
    (folder / "ab" / "cd" / "abcd").write_bytes(b"0123456789")
    return folder


@pytest.fixture(scope="module", params=["127.0.0.1", "192.0.2.1"], ids=["balanced", "direct"])
def nginx(request, upstream_port, files, tmp_path_factory):
    gone = free_port()
    folder = tmp_path_factory.mktemp("nginx")
    node = NginxNode(folder, [upstream_port, gone], files, balancers=request.param)
    try:
        node.start()
    except ServiceMissing as error:
        pytest.skip(str(error))
    yield node, request.param
    node.stop()


def test_only_a_balancer_is_believed_about_the_client(nginx):
    node, balancer = nginx
    claim = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example"}
    seen = requests.get(node.url, headers=claim, timeout=5).json()
    believed = balancer == "127.0.0.1"
    assert seen["x-forwarded-for"] == ("203.0.113.9" if believed else "127.0.0.1")
    assert "x-forwarded-host" not in seen


def test_nginx_sends_the_file_and_parts_of_it(nginx):
    node, _ = nginx
    assert requests.get(f"{node.url}/file", timeout=5).content == b"0123456789"
    part = requests.get(f"{node.url}/file", headers={"Range": "bytes=2-4"}, timeout=5)
    assert (part.status_code, part.content) == (206, b"234")


def test_nobody_reaches_a_file_by_its_own_address(nginx):
    node, _ = nginx
    assert requests.get(f"{node.url}/_files/ab/cd/abcd", timeout=5).status_code == 404


def test_a_gone_process_is_no_error_for_readers(nginx):
    node, _ = nginx
    assert {requests.get(node.url, timeout=5).status_code for _ in range(6)} == {200}
