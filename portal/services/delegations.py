"""Absence: a colleague stands in from one day to another, in their own name.

The substitute sees and does the work; the audit trail names both. To every guard that separates
duties the two are one person while it lasts: what either of them edited, neither reviews.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock, local_date
from portal.errors import Defect, Forbidden, Invalid, NotFound
from portal.models.account import Account, Membership
from portal.models.delegation import NOT_LENT, Delegation
from portal.permissions import Permission, is_allowed
from portal.services import audit
from portal.services.account_management import FLOW
from portal.services.notices import tell

LONGEST_DAYS, REASON_MAX = 180, 500


def colleagues(session: Session, account: Account) -> Sequence[Account]:
    """Return who may stand in for the account: members of the same organisations."""
    places = [m.organisation_id for m in account.memberships if m.organisation_id is not None]
    query = (
        select(Account)
        .join(Membership, Membership.account_id == Account.id)
        .where(
            Membership.organisation_id.in_(places),
            Account.id != account.id,
            Account.disabled.is_(False),
            Membership.role.not_in(("auditor",)),
        )
        .distinct()
    )
    return session.scalars(query.order_by(Account.id)).all()


def list_delegations(session: Session, clock: Clock, account_id: int) -> Sequence[Delegation]:
    """Return what is to come or under way, the account's own and those it stands in for."""
    query = select(Delegation).where(
        or_(Delegation.account_id == account_id, Delegation.substitute_id == account_id),
        Delegation.ended_at.is_(None),
        Delegation.ends_on >= local_date(clock()),
    )
    return session.scalars(query.order_by(Delegation.starts_on, Delegation.id)).all()


def delegate(
    session: Session,
    clock: Clock,
    actor: Actor,
    account: Account,
    *,
    substitute_id: int | None,
    starts_on: date | None,
    ends_on: date | None,
    reason: str,
) -> Delegation:
    """Let a colleague stand in for the account; by the account itself or its administrator.

    Raises:
        Forbidden: somebody else's absence. Invalid: every defect at once.
    """
    _require(actor, account)
    substitute = next((c for c in colleagues(session, account) if c.id == substitute_id), None)
    found = _defects(session, clock, account, substitute, starts_on, ends_on, reason)
    if found or substitute is None or starts_on is None or ends_on is None:
        raise Invalid(found)
    made = Delegation(
        account_id=account.id,
        substitute_id=substitute.id,
        starts_on=starts_on,
        ends_on=ends_on,
        reason=reason.strip(),
        created_at=clock(),
    )
    session.add(made)
    session.flush()
    event = audit.record(
        session,
        clock,
        actor,
        flow=FLOW,
        event="delegate",
        subject_id=account.id,
        reason=made.reason,
        details={
            "account": account.username,
            "substitute": substitute.username,
            "from": starts_on.isoformat(),
            "to": ends_on.isoformat(),
        },
    )
    text = f"“{account.display_name}”请您在{starts_on}至{ends_on}期间代为办理工作。"
    tell(session, clock, {substitute.id} - {actor.account_id}, event, text, "/work")
    return made


def _defects(
    session: Session,
    clock: Clock,
    account: Account,
    substitute: Account | None,
    starts_on: date | None,
    ends_on: date | None,
    reason: str,
) -> list[Defect]:
    found = []
    if all(m.role in NOT_LENT or m.organisation_id is None for m in account.memberships):
        found.append(
            Defect("", "not_lent", "管理员和审计员的角色不能由他人代行，请由同岗位人员办理。")
        )
    if substitute is None:
        found.append(Defect("substitute", "not_colleague", "请选择本单位的一位同事。"))
    if len(reason) > REASON_MAX:
        found.append(Defect("reason", "too_long", "说明不能超过{n}个字。", {"n": REASON_MAX}))
    if starts_on is None or ends_on is None:
        found.append(Defect("starts_on", "missing", "请填写开始和结束日期。"))
        return found
    if ends_on < starts_on or ends_on < local_date(clock()):
        found.append(Defect("ends_on", "order", "结束日期不能早于开始日期和今天。"))
    elif ends_on - starts_on > timedelta(days=LONGEST_DAYS):
        found.append(Defect("ends_on", "too_long", "一次代理最长{n}天。", {"n": LONGEST_DAYS}))
    elif _overlaps(session, account.id, starts_on, ends_on):
        found.append(Defect("starts_on", "overlap", "这段时间已有代理人，请先结束原来的代理。"))
    return found


def _overlaps(session: Session, account_id: int, starts_on: date, ends_on: date) -> bool:
    query = select(Delegation.id).where(
        Delegation.account_id == account_id,
        Delegation.ended_at.is_(None),
        Delegation.starts_on <= ends_on,
        Delegation.ends_on >= starts_on,
    )
    return session.scalar(query.limit(1)) is not None


def end_delegation(session: Session, clock: Clock, actor: Actor, delegation_id: int) -> None:
    """End a delegation at once; by either of the two. Twice changes nothing."""
    found = session.get(Delegation, delegation_id)
    if found is None or actor.account_id not in (found.account_id, found.substitute_id):
        raise NotFound("没有这个代理。")
    if found.ended_at is not None:
        return
    found.ended_at = clock()
    audit.record(
        session,
        clock,
        actor,
        flow=FLOW,
        event="end_delegation",
        subject_id=found.account_id,
        details={"substitute_id": found.substitute_id},
    )


def _require(actor: Actor, account: Account) -> None:
    if actor.account_id == account.id:
        return
    places = [m.organisation for m in account.memberships if m.organisation is not None]
    if not any(is_allowed(actor, Permission.MEMBER_MANAGE, place) for place in places):
        raise Forbidden()
