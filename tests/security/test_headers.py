"""The headers of every answer: what a browser may run, frame, guess and tell others."""

from __future__ import annotations

import re

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.portal.web.work.conftest import Office
from tests.security.attacking import open_entry, routes

NONCE = re.compile(r"'nonce-([A-Za-z0-9_-]{16,})'")


def _check(answer: TestResponse, path: str) -> None:
    headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy, path
    assert "unsafe-eval" not in policy, path
    assert "*" not in policy, path
    assert "default-src 'none'" in policy, path
    if "sandbox" not in policy:
        for part in ("frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
            assert part in policy, path
    assert headers["X-Content-Type-Options"] == "nosniff", path
    assert headers["Referrer-Policy"] == "same-origin", path
    assert re.fullmatch(r"[A-Za-z0-9-]{8,64}", headers["X-Request-Id"]), path
    for telling in ("Server", "X-Powered-By"):
        assert telling not in headers, path
    assert "Access-Control-Allow-Credentials" not in headers, path


def test_every_route_answers_with_them(office: Office, visitor: FlaskClient) -> None:
    slug, _ = open_entry(office)
    admin = office.browser("bureau_admin", "JL-BUR").client
    for client in (visitor, admin):
        for method in ("GET", "POST", "OPTIONS", "PUT", "DELETE"):
            for rule, path in routes(office.app, "GET" if method != "POST" else "POST"):
                if rule.endpoint != "login.logout":
                    _check(client.open(path, method=method), f"{method} {path}")
    for path in ("/nowhere", f"/dataset/{slug}", "/dataset?page=x", "/static/none.css"):
        _check(visitor.get(path), path)


def test_the_nonce_is_new_in_every_answer_and_stands_on_every_script(
    office: Office, visitor: FlaskClient
) -> None:
    slug, _ = open_entry(office)
    seen = set()
    for path in ("/", "/", "/login", "/dataset", f"/dataset/{slug}", "/nowhere"):
        answer = visitor.get(path)
        (nonce,) = set(NONCE.findall(answer.headers["Content-Security-Policy"]))
        assert nonce not in seen
        seen.add(nonce)
        for script in re.findall(r"<script[^>]*>", answer.text):
            if "application/ld+json" not in script:
                assert f'nonce="{nonce}"' in script, (path, script)
        assert not re.search(r"<[^>]+\son[a-z]+\s*=", answer.text), path
        assert not re.search(r"<[^>]+\sstyle\s*=", answer.text), path
        assert "javascript:" not in answer.text, path


def test_no_page_loads_anything_from_a_foreign_host(office: Office, visitor: FlaskClient) -> None:
    slug, _ = open_entry(office)
    for path in ("/", "/login", "/dataset", f"/dataset/{slug}", "/help", "/developer"):
        loaded = re.findall(
            r'<(?:script|img|iframe|link[^>]+stylesheet)[^>]+(?:src|href)="([^"]+)"',
            visitor.get(path).text,
        )
        assert all(address.startswith("/") for address in loaded), (path, loaded)


def test_a_clients_request_id_is_kept_only_if_it_is_plain(visitor: FlaskClient) -> None:
    good = visitor.get("/health", headers={"X-Request-Id": "trace-0123456789"})
    assert good.headers["X-Request-Id"] == "trace-0123456789"
    for bad in ("<script>", "a" * 65, "short", 'x"};evil()'):
        answer = visitor.get("/health", headers={"X-Request-Id": bad})
        assert bad not in answer.headers["X-Request-Id"]
