"""How pages are shown to this reader: light or dark, and the version for the old (适老化).

Both choices are kept in cookies and rendered by the server, so that they work without script.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from portal.errors import NotFound
from portal.web.access import public
from portal.web.context import platform
from portal.web.login import local_target

blueprint = Blueprint("display", __name__)
YEAR_SECONDS = 365 * 86400
CHOICES = {"scheme": ("light", "dark", "auto"), "reader": ("on", "large", "off")}
"""The cookies and their values: `auto` follows the device, `large` is the reader's largest type."""


@blueprint.get("/display/<name>/<value>")
@public
def choose(name: str, value: str) -> Response:
    """Keep the choice and go back to where the reader was, on this site only."""
    if value not in CHOICES.get(name, ()):
        raise NotFound()
    answer = redirect(local_target(request.args.get("next", "")).rstrip("?") or "/")
    secure = platform().settings.secure_cookies
    if value in ("auto", "off"):
        answer.delete_cookie(name, samesite="Lax", secure=secure, httponly=True)
    else:
        answer.set_cookie(
            name, value, max_age=YEAR_SECONDS, httponly=True, samesite="Lax", secure=secure
        )
    return answer


@blueprint.app_context_processor
def _chosen() -> dict[str, Any]:
    return {name: _choice(name) for name in CHOICES}


def _choice(name: str) -> str:
    value = request.cookies.get(name, "")
    return value if value in CHOICES[name] else ""
