"""A real HTTP server in a thread that answers as it is told, well or badly.

    with ReplayServer() as server:
        server.on("/list.csv", Answer(status=503, headers={"Retry-After": "1"}), Answer(body=data))
        fetch(server.url + "/list.csv")
        assert len(server.asked) == 2

Each request of a path takes that path's next step; the last one stays. A step is an `Answer` or
a function from the request to one (`CkanCatalogue` is such a function).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """`body` may be pieces, sent with `pause_seconds` between them and no length declared.

    `cut_after`: declare the whole length, send that many bytes, and hang up.
    """

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    pause_seconds: float = 0.0


Step = Answer | Callable[[Asked], Answer]


def json_answer(value: Any, status: int = 200, **options: Any) -> Answer:
    headers = {"Content-Type": "application/json;charset=utf-8"}
    return Answer(status, json.dumps(value, ensure_ascii=False).encode(), headers, **options)


def html_answer(status: int = 200) -> Answer:
    body = "<!DOCTYPE html><html><body>系统维护中</body></html>".encode()
    return Answer(status, body, {"Content-Type": "text/html; charset=utf-8"})


class ReplayServer:
    """Context manager; `.url` is "http://127.0.0.1:PORT", `.address` "127.0.0.1:PORT"."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._steps: dict[str, list[Step]] = {}
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.replay = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.address}"

    def on(self, path: str, *steps: Step) -> None:
        """Script a path; a path that ends with "*" answers all that begin so."""
        self._steps[path] = list(steps)

    def step_for(self, asked: Asked) -> Step:
        with self._lock:
            self.asked.append(asked)
            steps = self._steps.get(asked.path) or next(
                (
                    s
                    for p, s in self._steps.items()
                    if p[-1] == "*" and asked.path.startswith(p[:-1])
                ),
                [Answer(404)],
            )
            return steps.pop(0) if len(steps) > 1 else steps[0]

    def __enter__(self) -> ReplayServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    replay: ReplayServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what many tests want; nothing to print."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        asked = Asked(self.command, parts.path, query, dict(self.headers.items()), body)
        step = self.server.replay.step_for(asked)
        self._send(step if isinstance(step, Answer) else step(asked))

    do_GET = do_POST = do_HEAD = _respond

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        whole = answer.body if isinstance(answer.body, bytes) else None
        if whole is None:
            self.send_header("Connection", "close")
        elif "Content-Length" not in answer.headers:
            self.send_header("Content-Length", str(len(whole)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if whole is None:
            for piece in answer.body:
                self.wfile.write(piece)  # type: ignore[arg-type]
                time.sleep(answer.pause_seconds)
        else:
            self.wfile.write(whole[: answer.cut_after])
        self.close_connection = whole is None or answer.cut_after is not None

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@dataclass
class CkanCatalogue:
    """`package_search` over dicts: sorts, pages, and lets a test change things between pages.

    `after_page`: called with the number of pages given so far, once each was put together.
    `refused_sorts`: answered with CKAN's Search Query Error. `claimed_count` lies about the count.
    """

    packages: list[dict[str, Any]]
    after_page: Callable[[int], None] | None = None
    refused_sorts: tuple[str, ...] = ()
    claimed_count: int | None = None
    largest_page: int = 1000
    pages_given: int = 0

    def __call__(self, asked: Asked) -> Answer:
        sort = asked.query.get("sort", "metadata_modified desc")
        if sort in self.refused_sorts:
            error = {"__type": "Search Query Error", "message": "Search Query is invalid: sort"}
            return json_answer({"help": "", "error": error, "success": False}, 400)
        found = self._sorted(sort)
        start, rows = int(asked.query.get("start", 0)), int(asked.query.get("rows", 10))
        page = [dict(p) for p in found[start : start + min(rows, self.largest_page)]]
        count = len(found) if self.claimed_count is None else self.claimed_count
        result = {"count": count, "facets": {}, "results": page, "sort": sort, "search_facets": {}}
        answer = json_answer({"help": "", "success": True, "result": result})
        self.pages_given += 1
        if self.after_page:
            self.after_page(self.pages_given)
        return answer

    def _sorted(self, sort: str) -> list[dict[str, Any]]:
        found = list(self.packages)
        for clause in reversed(sort.split(",")):
            key, _, direction = clause.strip().partition(" ")
            found.sort(key=lambda p: str(p.get(key, "")), reverse=direction == "desc")
        return found
