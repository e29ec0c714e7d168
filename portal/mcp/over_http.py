"""MCP over HTTP (the SDK's streamable transport): each request says itself who calls.

A token stands in `Authorization: Bearer …`, as in the Action API, and brings its account's labels and
quota; without one, a caller reads what everybody may, within the quota of its address. Nothing is kept
between requests, so that any number of these processes may stand behind one address.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from mcp.server.transport_security import TransportSecuritySettings

from portal.mcp.calling import ActionCaller
from portal.mcp.server import Asked, CallerOf, make_server
from portal.platform import Platform

LARGEST_REQUEST = 256 * 1024
TOKEN_MAX = 500


def callers_by_request(app: Flask, platform: Platform, *, calls_a_minute: int) -> CallerOf:
    """Return what tells the caller of a request; a token is looked up anew each time, so that one
    that was revoked counts no more."""

    def caller_of(asked: Asked) -> ActionCaller:
        request: Any = asked.request_context.request
        return ActionCaller(
            app,
            platform,
            token=_token(asked),
            calls_a_minute=calls_a_minute,
            address=request.client.host if request is not None and request.client else "unknown",
        )

    return caller_of


def _token(asked: Asked) -> str:
    header = (asked.headers or {}).get("authorization", "").strip()
    scheme, _, rest = header.partition(" ")
    return (rest.strip() if scheme.lower() == "bearer" else header)[:TOKEN_MAX]


def serve_http(
    app: Flask, platform: Platform, host: str, port: int, *, calls_a_minute: int
) -> None:
    """Serve `/mcp` until the process is told to stop."""
    caller_of = callers_by_request(app, platform, calls_a_minute=calls_a_minute)
    make_server(caller_of, name=platform.settings.site_title).run(
        "streamable-http",
        host=host,
        port=port,
        stateless_http=True,
        json_response=True,
        max_request_body_size=LARGEST_REQUEST,
        transport_security=allowed_names(platform.settings.site_url, host),
    )


def allowed_names(site_url: str, host: str) -> TransportSecuritySettings:
    """Return the names by which the server may be called: no foreign page reaches it by a name of
    its own that it lets point here."""
    parts = urlsplit(site_url)
    bracketed = f"[{host}]" if ":" in host else host
    names = {parts.netloc, parts.hostname or "", bracketed, "localhost", "127.0.0.1", "[::1]"}
    names.discard("")
    hosts = sorted(names | {f"{name}:*" for name in names if "]" in name or ":" not in name})
    origins = {f"{parts.scheme}://{parts.netloc}", "http://localhost:*", "http://127.0.0.1:*"}
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=sorted(origins))
