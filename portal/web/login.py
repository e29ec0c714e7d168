"""Sign in and out."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request
from flask import session as cookie
from flask_babel import gettext
from werkzeug.wrappers import Response

from portal.actor import Actor
from portal.errors import TooManyRequests
from portal.services.accounts import WrongPassword, actor_of_session, sign_in, sign_out
from portal.web.access import public
from portal.web.context import actor, clock, platform, session
from portal.web.errors import message_of
from portal.web.security import SESSION_TOKEN, client_address

blueprint = Blueprint("login", __name__)


def local_target(target: str) -> str:
    """Return the target if it lies on this site, else the work list. Never an open redirect."""
    parts = urlsplit(target)
    plain = target.startswith("/") and not target.startswith(("//", "/\\"))
    is_clean = target.isprintable() and "\\" not in target
    return target if plain and not parts.netloc and is_clean else ""


@blueprint.get("/login")
@public
def form() -> Any:
    target = local_target(request.args.get("next", ""))
    if not actor().is_anonymous:
        return redirect(target or home_of(actor()))
    return render_template("login.html", next=target, username="", error="")


@blueprint.post("/login")
@public
def login() -> Any:
    target = local_target(request.form.get("next", ""))
    username = request.form.get("username", "").strip()
    parts = platform()
    try:
        signed_in = sign_in(
            parts.database,
            parts.clock,
            parts.settings.secret_key,
            username=username,
            password=request.form.get("password", ""),
            address=client_address(),
        )
    except (WrongPassword, TooManyRequests) as error:
        page = render_template(
            "login.html", next=target, username=username, error=message_of(error)
        )
        if isinstance(error, TooManyRequests):
            return page, 429, {"Retry-After": str(error.params["retry_after_seconds"])}
        return page, 401
    cookie.clear()  # a new session: nothing that stood in the cookie before survives the login
    cookie.permanent = True
    cookie[SESSION_TOKEN] = signed_in.token
    with parts.database.reading() as reading:
        who = actor_of_session(reading, parts.clock, signed_in.token)
    return redirect(target or home_of(who))


@blueprint.post("/logout")
@public
def logout() -> Response:
    token = cookie.get(SESSION_TOKEN)
    if token:
        sign_out(session(), clock(), token)
    cookie.clear()
    flash(gettext("您已退出登录。"))
    return redirect("/")


def home_of(who: Actor) -> str:
    """Return where somebody's work is: staff at the work list, everybody else at the developer centre."""
    return "/work" if who.organisation_ids else "/developer"
