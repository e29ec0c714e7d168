"""Choose the language of the pages."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from portal.errors import NotFound
from portal.web.access import public
from portal.web.context import platform
from portal.web.login import local_target

blueprint = Blueprint("language", __name__)
LANGUAGES = ("zh", "en")
YEAR_SECONDS = 365 * 86400


@blueprint.get("/lang/<code>")
@public
def choose(code: str) -> Response:
    """Keep the choice in a cookie and go back to where the reader was, on this site only."""
    if code not in LANGUAGES:
        raise NotFound()
    answer = redirect(local_target(request.args.get("next", "")).rstrip("?") or "/")
    answer.set_cookie(
        "lang",
        code,
        max_age=YEAR_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=platform().settings.secure_cookies,
    )
    return answer
