"""Absence: a colleague stands in from one day to another, in their own name.

The substitute sees and does the work; the audit trail names both. To every guard that separates
duties the two are one person while it lasts: what either of them edited, neither reviews.

Lent roles count on the pages only, where a person decides. A token of the Action API has the roles
of its own account and never lent ones: it outlasts the absence and acts while nobody looks.
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
from portal.models.audit import AuditEvent
from portal.models.delegation import NOT_LENT, Delegation
from portal.models.organisation import Organisation
from portal.permissions import Permission, is_allowed
from portal.services import audit
from portal.services.account_management import FLOW
from portal.services.notices import tell

LONGEST_DAYS, REASON_MAX = 180, 500


def colleagues(session: Session, actor: Actor, account: Account) -> Sequence[Account]:
    """Return whom the actor may let stand in for the account: members of the same organisations.

    An administrator chooses within the organisations they see to, and never themselves: nobody
    gives a right to themselves.
    """
    places = [place.id for place in _places(actor, account)]
    others = {account.id, actor.account_id}
    query = (
        select(Account)
        .join(Membership, Membership.account_id == Account.id)
        .where(
            Membership.organisation_id.in_(places),
            Account.id.not_in(others),
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
    allowed = colleagues(session, actor, account)
    substitute = next((c for c in allowed if c.id == substitute_id), None)
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
    _tell_both(session, clock, actor, account, substitute, event, made)
    return made


def _tell_both(
    session: Session,
    clock: Clock,
    actor: Actor,
    account: Account,
    substitute: Account,
    event: AuditEvent,
    made: Delegation,
) -> None:
    """Tell the substitute, and whoever is away as well if somebody else arranged it."""
    days = f"{made.starts_on}至{made.ends_on}"
    away, other = account.display_name, substitute.display_name
    if actor.account_id == account.id:
        text = f"“{away}”请您在{days}期间代为办理工作。"
        tell(session, clock, {substitute.id}, event, text, "/work")
        return
    text = f"“{actor.name}”安排“{other}”在{days}期间代“{away}”办理工作，如有不符可自行结束。"
    tell(session, clock, {account.id, substitute.id}, event, text, "/work/absence")


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
    """End a delegation at once; by either of the two, or an administrator. Twice changes nothing.

    Whoever of the two did not end it is told.
    """
    found = session.get(Delegation, delegation_id)
    account = session.get(Account, found.account_id) if found is not None else None
    if found is None or account is None or not _may_end(actor, found, account):
        raise NotFound("没有这个代理。")
    if found.ended_at is not None:
        return
    found.ended_at = clock()
    event = audit.record(
        session,
        clock,
        actor,
        flow=FLOW,
        event="end_delegation",
        subject_id=found.account_id,
        details={"substitute_id": found.substitute_id},
    )
    substitute = session.get(Account, found.substitute_id)
    other = substitute.display_name if substitute is not None else ""
    text = f"“{other}”不再代“{account.display_name}”办理工作（由“{actor.name}”结束）。"
    told = {found.account_id, found.substitute_id} - {actor.account_id}
    tell(session, clock, told, event, text, "/work/absence")


def _may_end(actor: Actor, found: Delegation, account: Account) -> bool:
    """True for the two of it, and for an administrator of where the one who is away works."""
    if actor.account_id in (found.account_id, found.substitute_id):
        return True
    return bool(_places(actor, account))


def _places(actor: Actor, account: Account) -> list[Organisation]:
    """Return where the actor may arrange the account's absence: their own places, or managed ones."""
    found = [m.organisation for m in account.memberships if m.organisation is not None]
    if actor.account_id == account.id:
        return found
    return [place for place in found if is_allowed(actor, Permission.MEMBER_MANAGE, place)]


def _require(actor: Actor, account: Account) -> None:
    if actor.account_id != account.id and not _places(actor, account):
        raise Forbidden()
