"""An agency's own service for tests: a real HTTP server that answers as it is told.

As a process: `python -m tests.extensions.access.upstream_server` prints its port, then answers
every call with the head and half of a body, and never ends it.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ROWS: list[dict[str, Any]] = [
    {
        "stop_code": "000123", "stop_name": "人民广场", "daily_passengers": 1200,
        "opened_on": "2019-03-01", "duty_phone": "13912345678", "keeper": "张三丰", "note": "内部",
    },
    {
        "stop_code": "000124", "stop_name": "桂林路", "daily_passengers": 900,
        "opened_on": None, "duty_phone": None, "keeper": "李四", "note": "内部",
    },
]  # fmt: skip


@dataclass
class Service:
    """What the server answers next, and what it was asked."""

    body: Any = field(default_factory=lambda: {"data": {"items": ROWS}})
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


@contextmanager
def running() -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            service.asked.append(
                {"path": parts.path, "query": parse_qsl(parts.query), "headers": dict(self.headers)}
            )
            time.sleep(service.delay)
            body = service.body
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(service.status)
            for name, value in {"Content-Type": "application/json", **service.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_address[1]}/stops"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()


class _Half(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        data = json.dumps({"data": {"items": ROWS}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])
        self.wfile.flush()
        print("half", flush=True)
        time.sleep(60)


if __name__ == "__main__":
    half = ThreadingHTTPServer(("127.0.0.1", 0), _Half)
    print(half.server_address[1], flush=True)
    half.serve_forever()
