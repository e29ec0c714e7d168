"""Request id, who asks, rate limits, and the headers of every answer."""

from __future__ import annotations

import re
import secrets
import threading
import time
from ipaddress import ip_address, ip_network
from uuid import uuid4

import structlog
from flask import Flask, Response, current_app, g, redirect, request, session
from werkzeug.wrappers import Response as AnyResponse

from portal.actor import ANONYMOUS
from portal.errors import TooManyRequests
from portal.services.login_sessions import actor_of_session
from portal.web import access
from portal.web.context import platform

SESSION_TOKEN = "token"
ENROLMENT = "second_factor"  # the blueprint that somebody without their second factor may use
WINDOW_SECONDS = 60
CREDENTIAL_HEADERS = ("Authorization", "X-API-Key", "X-CKAN-API-Key")
CREDENTIAL_FACTOR = 10
MAX_ADDRESSES = 50_000
ANONYMOUS_BODY_BYTES = 256 * 1024
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; object-src 'none'; manifest-src 'self'"
)
log = structlog.get_logger("portal.request")


class AddressWindow:
    """Requests of each address in the current minute, in this process. Bounded in size."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: dict[str, int] = {}

    def count(self, address: str, now: float) -> int:
        minute = int(now // WINDOW_SECONDS)
        with self._lock:
            if minute != self._minute or len(self._counts) > MAX_ADDRESSES:
                self._minute, self._counts = minute, {}
            self._counts[address] = self._counts.get(address, 0) + 1
            return self._counts[address]


_ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


def install(app: Flask) -> None:
    window = AddressWindow()

    @app.before_request
    def _begin() -> AnyResponse | None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid4())
        g.started = time.perf_counter()
        g.actor = ANONYMOUS
        if request.endpoint == "static":
            return None
        identify()
        if g.actor.is_anonymous:
            _limit(window)
            if request.blueprint not in current_app.config["API_BLUEPRINTS"]:
                # Visitors send no files: whoever is not signed in fills no disk with a form.
                request.max_content_length = ANONYMOUS_BODY_BYTES
        access.enforce()
        return _to_enrolment()

    @app.context_processor
    def _nonce() -> dict[str, object]:
        return {"csp_nonce": nonce}

    app.after_request(_headers)


def identify() -> None:
    """Set `g.actor` from the session cookie. APIs identify by their own credentials instead."""
    if request.blueprint in current_app.config["API_BLUEPRINTS"]:
        return
    token = session.get(SESSION_TOKEN)
    if not token:
        return
    parts = platform()
    with parts.database.reading() as reading:
        g.actor = actor_of_session(reading, parts.clock, token)


def _to_enrolment() -> AnyResponse | None:
    """Whoever owes a second factor has no role, and reaches nothing of theirs but its set-up."""
    is_open = request.endpoint is None or request.blueprint == ENROLMENT
    if not g.actor.must_enrol or is_open:
        return None
    if access.access_of(current_app, request.endpoint or "") is access.Access.PUBLIC:
        return None
    return redirect("/account/second-factor")


def client_address() -> str:
    """Return the caller's address; X-Forwarded-For counts only from the configured proxies."""
    return request.remote_addr or ""


def network_of(address: str) -> str:
    """Return what one caller holds: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return address if found.version == 4 else str(ip_network((found, 64), strict=False))


def _limit(window: AddressWindow) -> None:
    limit = platform().settings.anonymous_rate
    is_api = request.blueprint in current_app.config["API_BLUEPRINTS"]
    if is_api and any(request.headers.get(name) for name in CREDENTIAL_HEADERS):
        limit *= CREDENTIAL_FACTOR  # the key's own quota decides; this only slows guesses
    if limit and window.count(network_of(client_address()), time.time()) > limit:
        raise TooManyRequests(retry_after_seconds=WINDOW_SECONDS)


def nonce() -> str:
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def _headers(response: Response) -> Response:
    wanted = {**_ALWAYS, "content-security-policy": POLICY.format(nonce=nonce())}
    if platform().settings.secure_cookies:
        wanted["strict-transport-security"] = "max-age=31536000"
    if not g.get("actor", ANONYMOUS).is_anonymous:
        wanted["cache-control"] = "private, no-store"
    given = {name.lower() for name, _ in response.headers}  # what a view says itself stands
    response.headers.extend((n, value) for n, value in wanted.items() if n not in given)
    response.headers["X-Request-Id"] = g.get("request_id", "")
    log.info(
        "request",
        id=g.get("request_id", ""),
        method=request.method,
        path=request.path,
        status=response.status_code,
        ms=round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1),
    )
    return response
