"""Members of an organisation, for its administrator: invite, take back, see somebody off."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask_babel import gettext

from portal.errors import NotFound
from portal.jobs.people import site_of
from portal.models.account import Account
from portal.models.organisation import Organisation
from portal.permissions import Permission, require
from portal.services import leaving, members
from portal.services.second_factors import accounts_with_factor
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, platform, session
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import Problem, decide, form_text

blueprint = work_blueprint("members")


@blueprint.get("/work/members")
@signed_in
def list_all() -> Any:
    return _page(asked_organisation(request.args.get("org", "")))


def asked_organisation(code: str) -> Organisation:
    """Return the organisation that is named, or the first one that the reader sees to."""
    managed = members.managed_organisations(session(), actor())
    own = [o for o in managed if o.id in actor().organisation_ids]
    found = [o for o in managed if o.code == code] if code else (own or managed)
    if not found:
        require(actor(), Permission.MEMBER_MANAGE, Organisation(id=0))
        raise NotFound("没有这个机构。")
    return found[0]


def _page(organisation: Organisation, problem: Problem | None = None) -> str:
    found = members.list_members(session(), organisation)
    return render_template(
        "work/members.html",
        organisation=organisation,
        organisations=members.managed_organisations(session(), actor()),
        members=found,
        secured=accounts_with_factor(session(), [account.id for account in found]),
        invitations=members.list_invitations(session(), clock(), organisation),
        roles=members.roles_to_give(actor(), organisation),
        has_mail=bool(platform().settings.smtp_url),
        problem=problem,
        given=request.form,
    )


def _target(organisation: Organisation) -> str:
    return f"/work/members?org={organisation.code}"


@blueprint.post("/work/members/invite")
@writes
def invite() -> Any:
    organisation = asked_organisation(request.form.get("org", ""))

    def act() -> None:
        members.invite(
            session(),
            clock(),
            site_of(platform()),
            actor(),
            organisation,
            email=form_text("email", longest=300),
            role=form_text("role", longest=60),
        )

    done = gettext("邀请已发送，7天内有效。")
    return decide(
        act, lambda problem: _page(organisation, problem), done=done, target=_target(organisation)
    )


@blueprint.post(f"/work/members/invitations/<{ID}:link_id>/withdraw")
@writes
def withdraw(link_id: int) -> Any:
    organisation = asked_organisation(request.form.get("org", ""))
    return decide(
        lambda: members.withdraw_invitation(session(), clock(), actor(), link_id),
        lambda problem: _page(organisation, problem),
        done=gettext("邀请已撤回。"),
        target=_target(organisation),
    )


@blueprint.get(f"/work/members/<{ID}:account_id>/leave")
@signed_in
def see_off(account_id: int) -> Any:
    organisation = asked_organisation(request.args.get("org", ""))
    account = members.get_member(session(), actor(), organisation, account_id)
    return _leaving(organisation, account)


def _leaving(organisation: Organisation, account: Account, problem: Problem | None = None) -> str:
    outside = [source for e in platform().extensions for source in e.work]
    others = [
        (str(other.id), f"{other.display_name}（{other.username}）")
        for other in members.list_members(session(), organisation)
        if other.id != account.id and not other.disabled
    ]
    return render_template(
        "work/leaving.html",
        organisation=organisation,
        account=account,
        found=leaving.look(session(), clock(), account, organisation, outside),
        roles=[m for m in account.memberships if m.organisation_id == organisation.id],
        others=others,
        shown=20,
        role_name=members.role_name,
        problem=problem,
        given=request.form,
    )


@blueprint.post(f"/work/members/<{ID}:account_id>/leave")
@writes
def leave(account_id: int) -> Any:
    organisation = asked_organisation(request.form.get("org", ""))
    account = members.get_member(session(), actor(), organisation, account_id)
    outside = [source for e in platform().extensions for source in e.work]

    def act() -> None:
        chosen = request.form.get("successor", "")
        successor = None
        if chosen:
            chosen_id = int(chosen) if chosen.isascii() and chosen.isdigit() else 0
            successor = members.get_member(session(), actor(), organisation, chosen_id)
        leaving.leave(session(), clock(), actor(), account, organisation, successor, outside)

    return decide(
        act,
        lambda problem: _leaving(organisation, account, problem),
        done=gettext("离任已办理，其登录和令牌随即失效。"),
        target=_target(organisation),
    )
