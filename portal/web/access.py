"""Every route says who may call it: `public`, `signed_in` or `writes`.

`public` routes answer anybody, `signed_in` ones accounts, `writes` ones accounts and never by GET.
What an account may do further stands in the permission and transition tables. A route without a
declaration stops the start-up.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from flask import Flask, current_app, g, request
from werkzeug.exceptions import MethodNotAllowed

from portal.errors import Unauthenticated

View = TypeVar("View", bound=Callable[..., Any])


class Access(StrEnum):
    PUBLIC = "public"
    READ = "read"
    WRITE = "write"


def public(view: View) -> View:
    """Anybody may call it, without an account."""
    view.access = Access.PUBLIC  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """Accounts may call it; it changes nothing but what the caller has read."""
    view.access = Access.READ  # type: ignore[attr-defined]
    return view


def writes(view: View) -> View:
    """Accounts may call it, by POST only; it changes something."""
    view.access = Access.WRITE  # type: ignore[attr-defined]
    return view


def access_of(app: Flask, endpoint: str) -> Access | None:
    if endpoint == "static" or endpoint.endswith(".static"):
        return Access.PUBLIC
    return getattr(app.view_functions[endpoint], "access", None)


def check_declared(app: Flask) -> None:
    """Raises: LookupError naming every route that does not say who may call it."""
    silent = [
        rule.endpoint for rule in app.url_map.iter_rules() if access_of(app, rule.endpoint) is None
    ]
    if silent:
        raise LookupError(f"routes without a declaration: {', '.join(sorted(set(silent)))}")


def enforce() -> None:
    """Refuse the request if its route is not for this caller (a `before_request`)."""
    if request.endpoint is None:
        return
    access = access_of(current_app, request.endpoint)
    if access is Access.PUBLIC:
        return
    if g.actor.is_anonymous:
        raise Unauthenticated()
    if access is Access.WRITE and request.method in ("GET", "HEAD"):
        raise MethodNotAllowed(valid_methods=["POST"])
