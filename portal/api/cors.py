"""Calls from pages of other sites (CORS): no cookie counts in the Action API, so any page may call.

A browser asks first (OPTIONS) before it sends JSON or a token; without an answer to that it never
calls.
"""

from __future__ import annotations

from flask import Response, request

HEADERS = "Authorization, Content-Type, X-CKAN-API-Key, If-None-Match"
METHODS = "GET, HEAD, POST, OPTIONS"
KEPT_SECONDS = 86_400


def allow_calls(response: Response) -> Response:
    """Say what pages may send, and which headers of the answer they may read."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = METHODS
        response.headers["Access-Control-Allow-Headers"] = HEADERS
        response.headers["Access-Control-Max-Age"] = str(KEPT_SECONDS)
    else:
        response.headers["Access-Control-Expose-Headers"] = "ETag, Retry-After, X-Request-Id"
    return response
