"""Staff accounts, for the Bureau's administrator."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask_babel import gettext
from sqlalchemy import func, or_, select

from portal.codes import code_list
from portal.errors import NotFound
from portal.models.account import Account
from portal.models.organisation import find_organisation
from portal.permissions import Permission, require
from portal.services.account_management import open_account, set_disabled
from portal.services.organisations import list_organisations
from portal.services.second_factors import accounts_with_factor, reset_factors
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.paging import Paging, page_number
from portal.web.presentation import language_code
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import REFUSALS, Problem, decide, form_text, refused

blueprint = work_blueprint("work_accounts")
PAGE = 50


@blueprint.get("/work/accounts")
@signed_in
def accounts() -> Any:
    return _page()


def _page(
    problem: Problem | None = None, *, made: Account | None = None, password: str = ""
) -> str:
    require(actor(), Permission.ACCOUNT_MANAGE)
    number = page_number(request.args)
    words = request.args.get("q", "").replace("\x00", "").strip()[:60]
    found = select(Account)
    if words:
        found = found.where(
            or_(
                Account.username.contains(words, autoescape=True),
                Account.display_name.contains(words, autoescape=True),
            )
        )
    total = session().scalar(select(func.count()).select_from(found.subquery())) or 0
    ordered = found.order_by(Account.id).limit(PAGE).offset((number - 1) * PAGE)
    accounts = list(session().scalars(ordered))
    return render_template(
        "work/accounts.html",
        accounts=accounts,
        secured=accounts_with_factor(session(), [account.id for account in accounts]),
        roles=[
            (role.code, code_list("roles").label(role.code, language_code()))
            for role in code_list("roles")
            if role["organisation_kinds"] != "none"
        ],
        organisations=list_organisations(session()),
        words=words,
        made=made,
        password=password,
        problem=problem,
        given=request.form,
        paging=Paging(number, PAGE, total, "/work/accounts", [("q", words)] if words else []),
    )


@blueprint.post("/work/accounts")
@writes
def create() -> Any:
    """Make an account; its password stands on the answer's page and nowhere else."""
    require(actor(), Permission.ACCOUNT_MANAGE)
    code = request.form.get("organisation", "")
    try:
        made, password = open_account(
            session(),
            clock(),
            actor(),
            username=form_text("username", longest=1000),
            display_name=form_text("display_name", longest=1000),
            role=form_text("role", longest=60),
            organisation=find_organisation(session(), code) if code else None,
        )
    except REFUSALS as error:
        return refused(error, _page)
    return _page(made=made, password=password)


@blueprint.post(f"/work/accounts/<{ID}:account_id>/state")
@writes
def state(account_id: int) -> Any:
    disabled = request.form.get("disabled") == "yes"

    def act() -> None:
        account = session().get(Account, account_id)
        if account is None:
            raise NotFound("没有这个账号。")
        set_disabled(session(), clock(), actor(), account, disabled=disabled)

    done = gettext("账号已停用，其登录随即失效。") if disabled else gettext("账号已恢复。")
    return decide(act, _page, done=done, target="/work/accounts")


@blueprint.post(f"/work/accounts/<{ID}:account_id>/reset-factors")
@writes
def reset(account_id: int) -> Any:
    """Take the second factors of somebody who lost them; the next sign-in sets up new ones."""

    def act() -> None:
        account = session().get(Account, account_id)
        if account is None:
            raise NotFound("没有这个账号。")
        reset_factors(session(), clock(), actor(), account)

    return decide(act, _page, done=gettext("二次验证已重置。"), target="/work/accounts")
