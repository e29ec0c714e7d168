"""A pytest plugin: the portal served for real, for clients that speak HTTP.

`live_server(platform)` serves in a thread of the test (its clock and its data); `live_process(home)`
starts what operators run, granian in a process group of its own. Both listen on 127.0.0.1 only, on
a port that the system gave.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from werkzeug.serving import make_server

from portal.app import create_app
from portal.platform import Platform
from portal.settings import PREFIX

START_SECONDS = 40


@dataclass(frozen=True)
class LiveServer:
    url: str


@pytest.fixture
def live_server() -> Iterator[Callable[[Platform], LiveServer]]:
    """Return a starter of servers in threads; the platform's site address becomes the server's."""
    running = []

    def start(platform: Platform) -> LiveServer:
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        port = listening.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        platform.settings = platform.settings.model_copy(update={"site_url": url})
        server = make_server(
            "127.0.0.1", port, create_app(platform), threaded=True, fd=listening.fileno()
        )
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        running.append((server, thread, listening))
        return LiveServer(url)

    yield start
    for server, thread, listening in running:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()
        listening.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def live_process() -> Iterator[Callable[..., LiveServer]]:
    """Return a starter of `xiangyun serve` on a data folder; settings come as environment."""
    started: list[subprocess.Popen[bytes]] = []

    def start(home: Path, *, workers: int = 1, **settings: str) -> LiveServer:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        given = {"home": str(home), "site_url": url, "anonymous_rate": "0", **settings}
        environ = {**os.environ, **{f"{PREFIX}{k.upper()}": v for k, v in given.items()}}
        command = [sys.executable, "-m", "portal", "serve", "--port", str(port)]
        process = subprocess.Popen(
            [*command, "--workers", str(workers)],
            env=environ,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
        )
        started.append(process)
        _wait(url, process)
        return LiveServer(url)

    yield start
    for process in started:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            if requests.get(f"{url}/health", timeout=2).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise TimeoutError(f"nothing answers at {url}")
