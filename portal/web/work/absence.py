"""Absence: who stands in for the reader, and for whom the reader stands in.

An administrator arranges it for a member who is away unexpectedly, on a page of the members.
"""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask_babel import gettext

from portal.models.account import Account
from portal.models.organisation import Organisation
from portal.services import delegations, members
from portal.services.account_management import own_account
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import Problem, decide, form_date, form_text
from portal.web.work.members import asked_organisation

blueprint = work_blueprint("absence")
HOME = "/work/absence"
OF_MEMBER = f"/work/members/<{ID}:account_id>/absence"


@blueprint.get(HOME)
@signed_in
def absence() -> Any:
    return _page(own_account(session(), actor()))


def _page(
    account: Account, problem: Problem | None = None, *, within: Organisation | None = None
) -> str:
    """Show the absences of an account; of a member's, `within` is where the reader sees to it."""
    found = delegations.list_delegations(session(), clock(), account.id)
    ids = {one.account_id for one in found} | {one.substitute_id for one in found}
    return render_template(
        "work/absence.html",
        account=account,
        within=within,
        home=_address(account.id) if within is not None else HOME,
        delegations=found,
        names={i: person.display_name for i in ids if (person := session().get(Account, i))},
        colleagues=[
            (str(one.id), f"{one.display_name}（{one.username}）")
            for one in delegations.colleagues(session(), actor(), account)
        ],
        problem=problem,
        given=request.form,
    )


def _address(account_id: int) -> str:
    return f"/work/members/{account_id}/absence"


def _delegate(account: Account) -> None:
    chosen = request.form.get("substitute", "")
    delegations.delegate(
        session(),
        clock(),
        actor(),
        account,
        substitute_id=int(chosen) if chosen.isascii() and chosen.isdigit() else None,
        starts_on=form_date("starts_on", gettext("开始日期")),
        ends_on=form_date("ends_on", gettext("结束日期")),
        reason=form_text("reason", longest=delegations.REASON_MAX),
    )


@blueprint.post(HOME)
@writes
def delegate() -> Any:
    account = own_account(session(), actor())
    return decide(
        lambda: _delegate(account),
        lambda problem: _page(account, problem),
        done=gettext("代理已设置。"),
        target=HOME,
    )


@blueprint.post(f"{HOME}/<{ID}:delegation_id>/end")
@writes
def end(delegation_id: int) -> Any:
    account = own_account(session(), actor())
    return decide(
        lambda: delegations.end_delegation(session(), clock(), actor(), delegation_id),
        lambda problem: _page(account, problem),
        done=gettext("代理已结束。"),
        target=HOME,
    )


def _member(account_id: int, code: str) -> tuple[Organisation, Account]:
    """Return somebody whose absence the reader arranges. Raises Forbidden, NotFound."""
    organisation = asked_organisation(code)
    return organisation, members.get_member(session(), actor(), organisation, account_id)


@blueprint.get(OF_MEMBER)
@signed_in
def of_member(account_id: int) -> Any:
    organisation, account = _member(account_id, request.args.get("org", ""))
    return _page(account, within=organisation)


@blueprint.post(OF_MEMBER)
@writes
def delegate_for(account_id: int) -> Any:
    """Let a colleague stand in for a member; both are told, and the audit names who arranged it."""
    organisation, account = _member(account_id, request.form.get("org", ""))
    return decide(
        lambda: _delegate(account),
        lambda problem: _page(account, problem, within=organisation),
        done=gettext("代理已设置，已通知两人。"),
        target=f"{_address(account.id)}?org={organisation.code}",
    )


@blueprint.post(f"{OF_MEMBER}/<{ID}:delegation_id>/end")
@writes
def end_for(account_id: int, delegation_id: int) -> Any:
    organisation, account = _member(account_id, request.form.get("org", ""))
    return decide(
        lambda: delegations.end_delegation(session(), clock(), actor(), delegation_id),
        lambda problem: _page(account, problem, within=organisation),
        done=gettext("代理已结束，已通知两人。"),
        target=f"{_address(account.id)}?org={organisation.code}",
    )
