"""Absence: who stands in for the reader, and for whom the reader stands in."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask_babel import gettext

from portal.models.account import Account
from portal.services import delegations
from portal.services.account_management import own_account
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import Problem, decide, form_date, form_text

blueprint = work_blueprint("absence")
HOME = "/work/absence"


@blueprint.get(HOME)
@signed_in
def absence() -> Any:
    return _page()


def _page(problem: Problem | None = None) -> str:
    account = own_account(session(), actor())
    found = delegations.list_delegations(session(), clock(), account.id)
    ids = {one.account_id for one in found} | {one.substitute_id for one in found}
    return render_template(
        "work/absence.html",
        account=account,
        delegations=found,
        names={i: person.display_name for i in ids if (person := session().get(Account, i))},
        colleagues=[
            (str(one.id), f"{one.display_name}（{one.username}）")
            for one in delegations.colleagues(session(), account)
        ],
        problem=problem,
        given=request.form,
    )


@blueprint.post(HOME)
@writes
def delegate() -> Any:
    def act() -> None:
        chosen = request.form.get("substitute", "")
        delegations.delegate(
            session(),
            clock(),
            actor(),
            own_account(session(), actor()),
            substitute_id=int(chosen) if chosen.isascii() and chosen.isdigit() else None,
            starts_on=form_date("starts_on", gettext("开始日期")),
            ends_on=form_date("ends_on", gettext("结束日期")),
            reason=form_text("reason", longest=delegations.REASON_MAX),
        )

    return decide(act, _page, done=gettext("代理已设置。"), target=HOME)


@blueprint.post(f"{HOME}/<{ID}:delegation_id>/end")
@writes
def end(delegation_id: int) -> Any:
    return decide(
        lambda: delegations.end_delegation(session(), clock(), actor(), delegation_id),
        _page,
        done=gettext("代理已结束。"),
        target=HOME,
    )
