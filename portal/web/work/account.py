"""The reader's own account: mail address, password, sessions, tokens. For everybody who signs in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask import session as cookie
from flask_babel import gettext

from portal.jobs.people import site_of
from portal.rules.mail_address import masked_mobile
from portal.services import login_sessions, registration
from portal.services.account_management import (
    change_password,
    issue_token,
    list_tokens,
    own_account,
    revoke_token,
    want_digest,
)
from portal.services.accounts import SHORTEST_PASSWORD
from portal.services.identities import list_identities
from portal.services.mailed_links import EMAIL, LinkLapsed, get_link
from portal.services.second_factors import list_factors
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, platform, session
from portal.web.link_lapsed import lapsed
from portal.web.security import SESSION_TOKEN
from portal.web.work.blueprint import ID, sections_of
from portal.web.work.decisions import REFUSALS, Problem, decide, form_text, refused

blueprint = Blueprint("account", __name__)


@blueprint.get("/account")
@signed_in
def account() -> Any:
    return _page()


def _page(problem: Problem | None = None, *, token: str = "") -> str:
    account_id = actor().account_id or 0
    own_token = cookie.get(SESSION_TOKEN, "")
    return render_template(
        "work/account.html",
        account=own_account(session(), actor()),
        tokens=list_tokens(session(), actor()),
        token=token,
        sessions=[
            (found, login_sessions.is_session_of(found, own_token))
            for found in login_sessions.list_sessions(session(), clock(), account_id)
        ],
        factors=list_factors(session(), account_id),
        identities=list_identities(session(), account_id),
        has_identity=bool(platform().settings.oidc_issuer),
        phone=masked_mobile(own_account(session(), actor()).phone),
        has_mail=bool(platform().settings.smtp_url),
        shortest=SHORTEST_PASSWORD,
        problem=problem,
        given=request.form,
        work_sections=work_sections(),
    )


def work_sections() -> list[tuple[str, str]]:
    return sections_of(actor()) if actor().organisation_ids else []


@blueprint.post("/account/password")
@writes
def password() -> Any:
    form = request.form
    try:
        change_password(
            session(),
            actor(),
            current=form.get("current", ""),
            new=form.get("password", ""),
            again=form.get("again", ""),
        )
        registration.tell_password_changed(
            session(), clock(), site_of(platform()), own_account(session(), actor())
        )
    except REFUSALS as error:
        return refused(error, _page)
    cookie.clear()
    flash(gettext("密码已修改，请用新密码重新登录。"))
    return redirect("/login", 303)


@blueprint.post("/account/email")
@writes
def email() -> Any:
    """Send a link to the address that the account is to have."""

    def act() -> None:
        registration.ask_for_address(
            session(),
            clock(),
            site_of(platform()),
            actor(),
            email=form_text("email", longest=300),
            password=request.form.get("email_password", ""),
        )

    done = gettext("已向新邮箱发送链接，打开后生效。")
    return decide(act, _page, done=done, target="/account")


@blueprint.get("/account/email/confirm")
@signed_in
def opened_link() -> Any:
    token = request.args.get("token", "")
    try:
        link = get_link(session(), clock(), EMAIL, token)
    except LinkLapsed as error:
        return lapsed(error, "/account")
    return render_template("work/confirm_email.html", token=token, email=link.email, problem=None)


@blueprint.post("/account/email/confirm")
@writes
def confirm_email() -> Any:
    token = request.form.get("token", "")
    try:
        registration.confirm_address(session(), clock(), site_of(platform()), actor(), token)
    except LinkLapsed as error:
        session().rollback()
        return lapsed(error, "/account")
    except REFUSALS as error:
        return refused(
            error,
            lambda problem: render_template(
                "work/confirm_email.html", token=token, email="", problem=problem
            ),
        )
    flash(gettext("邮箱已确认。"))
    return redirect("/account", 303)


@blueprint.post("/account/digest")
@writes
def digest() -> Any:
    def act() -> None:
        want_digest(session(), actor(), wanted=request.form.get("digest") == "yes")

    return decide(act, _page, done=gettext("已保存。"), target="/account")


@blueprint.post(f"/account/sessions/<{ID}:session_id>/end")
@writes
def end_session(session_id: int) -> Any:
    def act() -> None:
        login_sessions.end_session(session(), clock(), actor().account_id or 0, session_id)

    return decide(act, _page, done=gettext("这个登录已退出。"), target="/account#sessions-heading")


@blueprint.post("/account/sessions/end-others")
@writes
def end_others() -> Any:
    def act() -> None:
        login_sessions.end_other_sessions(
            session(), actor().account_id or 0, cookie.get(SESSION_TOKEN, "")
        )

    done = gettext("其他设备上的登录已全部退出。")
    return decide(act, _page, done=done, target="/account#sessions-heading")


@blueprint.post("/account/tokens")
@writes
def create_token() -> Any:
    """Make a token; it stands on the answer's page and nowhere else."""
    try:
        token = issue_token(session(), clock(), actor(), form_text("name", longest=1000))
    except REFUSALS as error:
        return refused(error, _page)
    session().flush()
    return _page(token=token)


@blueprint.post(f"/account/tokens/<{ID}:token_id>/revoke")
@writes
def revoke(token_id: int) -> Any:
    return decide(
        lambda: revoke_token(session(), clock(), actor(), token_id),
        _page,
        done=gettext("令牌已撤销，随即失效。"),
        target="/account",
    )
