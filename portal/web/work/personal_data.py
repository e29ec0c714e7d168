"""The reader's own data: what is kept, as a file; and the end of the account."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask import session as cookie
from flask_babel import gettext

from portal.errors import Invalid
from portal.models.account import Account
from portal.services import login_sessions, personal_data
from portal.services.account_management import own_account
from portal.services.accounts import is_password_of
from portal.services.identities import list_identities
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, platform, session
from portal.web.security import SESSION_TOKEN
from portal.web.work.blueprint import sections_of
from portal.web.work.decisions import REFUSALS, Problem, refused

blueprint = Blueprint("personal_data", __name__)
FRESH_MINUTES = 15


@blueprint.get("/account/data")
@signed_in
def show() -> Any:
    return _page()


def _page(problem: Problem | None = None) -> str:
    account = own_account(session(), actor())
    return render_template(
        "work/personal_data.html",
        account=account,
        kept=personal_data.kept_reasons(session()),
        by_identity=bool(list_identities(session(), account.id)),
        fresh_minutes=FRESH_MINUTES,
        problem=problem,
        given=request.form,
        work_sections=sections_of(actor()) if actor().organisation_ids else [],
    )


def _check_it_is_them(account: Account) -> None:
    """The password; or, for who signs in elsewhere, a sign-in of the last minutes."""
    if is_password_of(account, request.form.get("password", "")):
        return
    token = cookie.get(SESSION_TOKEN, "")
    since = clock()() - timedelta(minutes=FRESH_MINUTES)
    is_fresh = any(
        login_sessions.is_session_of(found, token) and found.created_at >= since
        for found in login_sessions.list_sessions(session(), clock(), account.id)
    )
    if not (is_fresh and list_identities(session(), account.id)):
        raise Invalid.one("password", "wrong", "当前密码不正确。")


@blueprint.post("/account/data/export")
@writes
def export() -> Any:
    try:
        account = own_account(session(), actor())
        _check_it_is_them(account)
        found = personal_data.export(session(), clock(), actor(), account)
    except REFUSALS as error:
        return refused(error, _page)
    text = json.dumps(found, ensure_ascii=False, indent=2)
    headers = {"Content-Disposition": 'attachment; filename="personal-data.json"'}
    return Response(text, mimetype="application/json", headers=headers)


@blueprint.post("/account/data/erase")
@writes
def erase() -> Any:
    obstacles = [o for extension in platform().extensions for o in extension.obstacles]
    try:
        account = own_account(session(), actor())
        _check_it_is_them(account)
        if request.form.get("username", "").strip() != account.username:
            raise Invalid.one("username", "different", "请输入您的用户名以确认注销。")
        personal_data.erase(session(), clock(), actor(), account, obstacles)
    except REFUSALS as error:
        return refused(error, _page)
    cookie.clear()
    flash(gettext("账号已注销，除依法留存的以外，您的个人信息已删除。"))
    return redirect("/", 303)
