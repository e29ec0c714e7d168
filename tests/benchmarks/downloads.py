"""Download speed beside nginx for the same file, and visitors beside slow readers."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests

from tests.benchmarks.server import free_port, process, wait_until_up

NGINX = """
user root; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 2;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; root {root}; }} }}
"""
PIECE = 1024 * 1024
ROUNDS = 5
SLOW_READERS = 50


@contextmanager
def nginx(folder: Path, root: Path) -> Iterator[str]:
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, root=root), encoding="utf-8")
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    with process([binary, "-c", str(config), "-p", str(folder)], {}):
        url = f"http://127.0.0.1:{port}"
        wait_until_up(url)
        yield url


def speeds_mb(urls: Sequence[str], *, start: int = 0) -> list[float]:
    """Return for each address the best of some rounds, in MB a second.

    The addresses take turns, so that a machine that slows down slows all of them. `start` asks for
    the rest of the file from that byte on, by Range.
    """
    best = [0.0] * len(urls)
    for _ in range(ROUNDS):
        for number, url in enumerate(urls):
            best[number] = max(best[number], _speed_mb(url, start))
    return best


def _speed_mb(url: str, start: int) -> float:
    headers = {"Range": f"bytes={start}-"} if start else {}
    buffer = bytearray(PIECE)
    began, received = time.perf_counter(), 0
    with requests.get(url, stream=True, timeout=60, headers=headers) as answer:
        answer.raise_for_status()
        if answer.status_code != (206 if start else 200):
            raise RuntimeError(f"{url} answered {answer.status_code}")
        while count := answer.raw.readinto(buffer):
            received += count
    expected = int(answer.headers["Content-Length"])
    if received != expected:
        raise RuntimeError(f"{url} sent {received} of {expected} bytes")
    return received / 1e6 / (time.perf_counter() - began)


@contextmanager
def slow_readers(url: str, path: str, count: int = SLOW_READERS) -> Iterator[None]:
    """Open so many downloads and read none of them."""
    place = urlsplit(url)
    opened = []
    for _ in range(count):
        connection = socket.create_connection((place.hostname or "", place.port or 80))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\nUser-Agent: slow\r\n\r\n"
        connection.sendall(request.encode())
        opened.append(connection)
    time.sleep(1)
    try:
        yield
    finally:
        for connection in opened:
            connection.close()


def answer_seconds(url: str, rounds: int = 20) -> float:
    """Return the slowest of some page answers, in seconds."""
    slowest = 0.0
    for _ in range(rounds):
        started = time.perf_counter()
        requests.get(url, timeout=30).raise_for_status()
        slowest = max(slowest, time.perf_counter() - started)
    return slowest
