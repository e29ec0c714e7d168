"""The reader's own account: password and Action API tokens. For everybody who signs in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask import session as cookie
from flask_babel import gettext

from portal.services.account_management import (
    change_password,
    issue_token,
    list_tokens,
    own_account,
    revoke_token,
)
from portal.services.accounts import SHORTEST_PASSWORD
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.work.blueprint import ID, sections_of
from portal.web.work.decisions import REFUSALS, Problem, decide, form_text, refused

blueprint = Blueprint("account", __name__)


@blueprint.get("/account")
@signed_in
def account() -> Any:
    return _page()


def _page(problem: Problem | None = None, *, token: str = "") -> str:
    return render_template(
        "work/account.html",
        account=own_account(session(), actor()),
        tokens=list_tokens(session(), actor()),
        token=token,
        shortest=SHORTEST_PASSWORD,
        problem=problem,
        given=request.form,
        work_sections=sections_of(actor()) if actor().organisation_ids else [],
    )


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
    except REFUSALS as error:
        return refused(error, _page)
    cookie.clear()
    flash(gettext("密码已修改，请用新密码重新登录。"))
    return redirect("/login", 303)


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
