"""审批规则: one table that the Bureau edits; each change is a version, and old decisions keep theirs."""

from __future__ import annotations

from typing import Any

from flask import abort, render_template, request
from flask_babel import gettext

from extensions.access.models.policy import AccessPolicy
from extensions.access.permissions import AccessPermission
from extensions.access.policy import CLASSES, NUMBERS, Policy, PolicyRow, approving_roles, changes
from extensions.access.services.policies import (
    current_version,
    get_policy,
    list_policies,
    write_policy,
)
from extensions.access.web.answers import decide
from extensions.access.web.forms import plain, whole
from portal.models.account import Account
from portal.permissions import is_allowed, require
from portal.web.access import signed_in, writes
from portal.web.context import actor, clock, session
from portal.web.translated import translated
from portal.web.work.blueprint import ID, work_blueprint
from portal.web.work.decisions import Problem, form_seen, fresh_key

blueprint = work_blueprint("access_policy")
ADDRESS = "/work/access-policy"


@blueprint.get(ADDRESS)
@signed_in
def show() -> Any:
    require(actor(), AccessPermission.POLICY_READ)
    return _page(get_policy(session()), None)


@blueprint.get(f"{ADDRESS}/<{ID}:version>")
@signed_in
def show_version(version: int) -> Any:
    """Show an earlier version, as decisions of its time rest on it."""
    require(actor(), AccessPermission.POLICY_READ)
    if not 1 <= version <= current_version(session()):
        abort(404)
    return _page(get_policy(session(), version), None)


@blueprint.post(ADDRESS)
@writes
def write() -> Any:
    rows = tuple(_typed(code) for code in CLASSES)

    def act() -> None:
        write_policy(session(), clock(), actor(), rows, reason=plain("reason"), seen=form_seen())

    def page(problem: Problem | None) -> Any:
        return _page(Policy(current_version(session()), rows), problem)

    return decide(act, page, done=gettext("审批规则已更新，对今后提交的申请生效。"), target=ADDRESS)


def _typed(code: str) -> PolicyRow:
    """Return what was typed for a class; 0, which is refused, for what is no number."""
    numbers = {name: whole(plain(f"{code}.{name}")) or 0 for name in NUMBERS}
    approvers = tuple(request.form.getlist(f"{code}.approvers")[:20])
    return PolicyRow(code, approvers, **numbers)


def _page(policy: Policy, problem: Problem | None) -> Any:
    current = current_version(session())
    may_write = is_allowed(actor(), AccessPermission.POLICY_WRITE) and policy.version == current
    return render_template(
        "access/policy.html",
        policy=policy,
        current=current,
        classes=translated(CLASSES),
        numbers=[(name, gettext(label), most) for name, (label, most) in NUMBERS.items()],
        roles=translated(approving_roles()),
        versions=[_version(one) for one in list_policies(session())],
        may_write=may_write,
        reason=plain("reason") if problem else "",
        problem=problem,
        key=fresh_key(),
    )


def _version(one: AccessPolicy) -> dict[str, Any]:
    author = session().get(Account, one.created_by) if one.created_by else None
    rows = tuple(PolicyRow.from_dict(row) for row in one.rows)
    labels = {name: gettext(label) for name, (label, _most) in NUMBERS.items()}
    roles = translated(approving_roles())

    def shown(column: str, value: str) -> str:
        if column != "approvers":
            return value
        return "、".join(roles.get(code, code) for code in value.split(";"))

    return {
        "version": one.version,
        "reason": one.reason,
        "at": one.created_at,
        "author": author.display_name if author else "",
        "changes": [
            (
                gettext(CLASSES[code]),
                labels.get(column, gettext("可以审批的角色")),
                shown(column, old),
                shown(column, new),
            )
            for code, column, old, new in changes(get_policy(session(), one.version - 1), rows)
        ],
    }
