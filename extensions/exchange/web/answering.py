"""What the routes of this extension answer alike: kept for a while, readable from any page."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Response, make_response

from portal.web.context import platform

MINUTES_10 = 600


def site_url() -> str:
    return platform().settings.site_url.rstrip("/")


def answer(body: str | bytes | Iterable[bytes], content_type: str, *, seconds: int = 0) -> Response:
    """Return public data. No cookie counts here, so any page may read it (CORS)."""
    response = make_response(body) if isinstance(body, str | bytes) else Response(body)
    response.content_type = content_type
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = f"public, max-age={seconds}" if seconds else "no-cache"
    if not response.is_streamed:
        response.add_etag()
    return response
