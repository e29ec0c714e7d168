"""JSONP, as CKAN still has it: `?callback=name` wraps the answer for pages without CORS.

A script tag sends no token, so such an answer holds what everybody may read, and it is given to
nobody who sends one.
"""

from __future__ import annotations

import re

from flask import Response, request

_NAME = re.compile(rb"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*){0,5}")
LONGEST = 100
JAVASCRIPT = "application/javascript; charset=utf-8"


def wrap(response: Response) -> Response:
    """Wrap the JSON of a GET with a callback; a name that is none is left out of account."""
    name = request.args.get("callback", "")[: LONGEST + 1].encode()
    is_json = response.mimetype == "application/json"
    if request.method != "GET" or not name or not is_json or request.headers.get("Authorization"):
        return response
    if len(name) > LONGEST or not _NAME.fullmatch(name) or response.is_streamed:
        return response
    # The comment before it keeps the answer from being read as another kind of file.
    response.set_data(b"/**/" + name + b"(" + response.get_data() + b");")
    response.headers["Content-Type"] = JAVASCRIPT
    response.headers.pop("ETag", None)
    return response
