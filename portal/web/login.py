"""Sign in and out: the password, then the second factor where the account has one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request
from flask import session as cookie
from flask_babel import gettext
from werkzeug.wrappers import Response

from portal.actor import Actor
from portal.errors import Invalid, PortalError, TooManyRequests
from portal.services.accounts import WrongPassword, sign_in
from portal.services.factor_sign_in import Check, WrongCode, code_check, finish_sign_in
from portal.services.login_sessions import FactorNeeded, NewSession, actor_of_session, sign_out
from portal.services.login_steps import FACTOR, get_step
from portal.web.access import public
from portal.web.context import actor, clock, platform, session
from portal.web.errors import message_of
from portal.web.security import SESSION_TOKEN, client_address

blueprint = Blueprint("login", __name__)
STEP_TOKEN, NEXT = "step", "next"
ENROL = "/account/second-factor"


def local_target(target: str) -> str:
    """Return the target if it lies on this site, else nothing. Never an open redirect."""
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
    return _form(target)


def _form(target: str, username: str = "", error: str = "") -> str:
    settings = platform().settings
    return render_template(
        "login.html",
        next=target,
        username=username,
        error=error,
        has_mail=bool(settings.smtp_url),
        has_texts=settings.sends_texts,
        has_identity=bool(settings.oidc_issuer),
    )


@blueprint.post("/login")
@public
def login() -> Any:
    target = local_target(request.form.get("next", ""))
    username = request.form.get("username", "").strip()
    parts = platform()
    try:
        begun = sign_in(
            parts.database,
            parts.clock,
            parts.settings.secret_key,
            username=username,
            password=request.form.get("password", ""),
            address=client_address(),
            agent=request.user_agent.string,
            factor_required=parts.settings.staff_second_factor,
        )
    except (WrongPassword, TooManyRequests) as error:
        return _refused(error, _form(target, username, message_of(error)))
    return go_on(begun, target)


def go_on(begun: NewSession | FactorNeeded, target: str) -> Response:
    """Put what was begun into a new cookie, and go where it leads."""
    cookie.clear()  # a new session: nothing that stood in the cookie before survives the login
    if isinstance(begun, FactorNeeded):
        cookie[STEP_TOKEN], cookie[NEXT] = begun.token, target
        return redirect("/login/second")
    cookie.permanent = True
    cookie[SESSION_TOKEN] = begun.token
    parts = platform()
    with parts.database.reading() as reading:
        who = actor_of_session(reading, parts.clock, begun.token)
    return redirect(ENROL if who.must_enrol else target or home_of(who))


def _refused(error: PortalError, page: str) -> Any:
    if isinstance(error, TooManyRequests):
        return page, 429, {"Retry-After": str(error.params["retry_after_seconds"])}
    return page, 401


@blueprint.get("/login/second")
@public
def second() -> Any:
    """Ask for the second factor of the sign-in that this browser has begun."""
    if not cookie.get(STEP_TOKEN):
        return redirect("/login")
    return _second()


def _second(error: str = "") -> Any:
    parts = platform()
    with parts.database.reading() as reading:
        try:
            step = get_step(reading, parts.clock, FACTOR, cookie.get(STEP_TOKEN, ""))
        except Invalid as lapsed:
            cookie.pop(STEP_TOKEN, None)
            return _form("", error=gettext(lapsed.defects[0].message)), 401
        # With WebAuthn's libraries: only when needed, here and below.
        from portal.services.passkeys import request_options

        options = request_options(reading, step, parts.settings.site_url)
    return render_template("login_second.html", error=error, options=options)


@blueprint.post("/login/second")
@public
def second_code() -> Any:
    return _finish(
        code_check(clock(), platform().settings.secret_key, request.form.get("code", "")[:40])
    )


@blueprint.post("/login/passkey")
@public
def second_passkey() -> Any:
    from portal.services.passkeys import passkey_check

    answer = request.form.get("credential", "")
    return _finish(passkey_check(clock(), platform().settings.site_url, answer))


def _finish(check: Check) -> Any:
    parts, target = platform(), local_target(cookie.get(NEXT, ""))
    try:
        begun = finish_sign_in(
            parts.database,
            parts.clock,
            parts.settings.secret_key,
            cookie.get(STEP_TOKEN, ""),
            check,
            agent=request.user_agent.string,
            address=client_address(),
        )
    except (WrongCode, TooManyRequests) as error:
        page = _second(message_of(error))
        return page if isinstance(page, tuple) else _refused(error, page)
    except Invalid as lapsed:
        return _form("", error=gettext(lapsed.defects[0].message)), 401
    return go_on(begun, target)


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
