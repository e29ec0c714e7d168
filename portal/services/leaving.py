"""Leaving: somebody's roles in an organisation end, and nothing they had open is left to nobody.

Work belongs to the organisation and is seen by whoever holds the role. So leaving asks two things:
does somebody else hold each role, and what is tied to the person (uploads under way, messages not
read, absences)? A successor takes over what would otherwise be nobody's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from portal.actor import Actor, RoleIn
from portal.clock import Clock
from portal.errors import Invalid
from portal.models.account import Account, ApiToken, LoginSession, Membership
from portal.models.audit import AuditEvent
from portal.models.delegation import NOT_LENT, Delegation
from portal.models.duty import Notice
from portal.models.organisation import Organisation
from portal.models.upload import OPEN, PartialUpload
from portal.permissions import Permission, require
from portal.services import audit
from portal.services.account_management import FLOW
from portal.services.members import give_role, role_name
from portal.services.notices import tell
from portal.services.work_list import OutsideSource, WorkList, WorkRow

LISTED = 50


@dataclass(frozen=True)
class Handover:
    """What a leaver leaves: open rows of the work list, and roles that nobody else holds."""

    rows: tuple[WorkRow, ...]
    lonely_roles: tuple[str, ...]

    @property
    def needs_successor(self) -> bool:
        return bool(self.rows and self.lonely_roles)


def look(
    session: Session,
    clock: Clock,
    account: Account,
    organisation: Organisation,
    outside: Iterable[OutsideSource] = (),
) -> Handover:
    """Return what would be handed over if the account left the organisation now."""
    roles = _roles(account, organisation)
    as_member = Actor(
        account.id,
        account.display_name,
        tuple(RoleIn(role, organisation.id, organisation.code) for role in roles),
    )
    rows = WorkList(session, clock, as_member, outside).rows()
    held = set(
        session.scalars(
            select(Membership.role)
            .join(Account, Account.id == Membership.account_id)
            .where(
                Membership.organisation_id == organisation.id,
                Membership.account_id != account.id,
                Account.disabled.is_(False),
            )
        )
    )
    return Handover(tuple(rows), tuple(role for role in roles if role not in held))


def leave(
    session: Session,
    clock: Clock,
    actor: Actor,
    account: Account,
    organisation: Organisation,
    successor: Account | None,
    outside: Iterable[OutsideSource] = (),
) -> Handover:
    """End the account's roles in the organisation and hand over what is open.

    Raises:
        Forbidden: not an administrator of the organisation.
        Invalid: the own roles; open work without a successor; a successor who is no member.
    """
    require(actor, Permission.MEMBER_MANAGE, organisation)
    if account.id == actor.account_id:
        raise Invalid.one("", "own_account", "不能为自己办理离任，请由其他管理员办理。")
    found = look(session, clock, account, organisation, outside)
    _check_successor(account, organisation, successor, found)
    roles = _roles(account, organisation)
    account.memberships = [m for m in account.memberships if m.organisation_id != organisation.id]
    session.flush()
    if successor is not None:
        for role in found.lonely_roles:
            if role not in NOT_LENT:
                give_role(session, successor, role, organisation)
        _move_uploads(session, account, successor)
    _end_access(session, clock, account)
    event = _record(session, clock, actor, account, organisation, successor, roles, found)
    if successor is not None:
        _tell_successor(session, clock, account, successor, event, len(found.rows))
    return found


def _check_successor(
    account: Account, organisation: Organisation, successor: Account | None, found: Handover
) -> None:
    if successor is None:
        if found.needs_successor:
            raise Invalid.one(
                "successor",
                "missing",
                "还有{n}件待办，且“{roles}”只有此人担任，请指定接手人。",
                n=len(found.rows),
                roles="、".join(role_name(role) for role in found.lonely_roles),
            )
        return
    is_member = any(m.organisation_id == organisation.id for m in successor.memberships)
    if successor.id == account.id or not is_member or successor.disabled:
        raise Invalid.one("successor", "not_member", "接手人应为本单位的其他在用账号。")


def _roles(account: Account, organisation: Organisation) -> list[str]:
    return [m.role for m in account.memberships if m.organisation_id == organisation.id]


def _move_uploads(session: Session, account: Account, successor: Account) -> None:
    session.execute(
        update(PartialUpload)
        .where(PartialUpload.account_id == account.id, PartialUpload.stage == OPEN)
        .values(account_id=successor.id)
    )


def _end_access(session: Session, clock: Clock, account: Account) -> None:
    """End sessions, tokens and absences; without any role left the account is closed."""
    session.execute(delete(LoginSession).where(LoginSession.account_id == account.id))
    session.execute(
        update(ApiToken)
        .where(ApiToken.account_id == account.id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=clock())
    )
    session.execute(
        update(Delegation)
        .where(
            or_(Delegation.account_id == account.id, Delegation.substitute_id == account.id),
            Delegation.ended_at.is_(None),
        )
        .values(ended_at=clock())
    )
    if not account.memberships:
        account.disabled = True


def _record(
    session: Session,
    clock: Clock,
    actor: Actor,
    account: Account,
    organisation: Organisation,
    successor: Account | None,
    roles: list[str],
    found: Handover,
) -> AuditEvent:
    return audit.record(
        session,
        clock,
        actor,
        flow=FLOW,
        event="leave",
        subject_id=account.id,
        details={
            "account": account.username,
            "organisation": organisation.code,
            "roles": roles,
            "successor": successor.username if successor else "",
            "open": len(found.rows),
            "items": [row.title for row in found.rows[:LISTED]],
        },
    )


def _tell_successor(
    session: Session,
    clock: Clock,
    account: Account,
    successor: Account,
    event: AuditEvent,
    count: int,
) -> None:
    """Tell what came over, and pass on the messages about work that were not read."""
    text = f"“{account.display_name}”离任，{count} 件待办由您接手。"
    tell(session, clock, {successor.id}, event, text, "/work")
    unread = session.scalars(
        select(Notice).where(
            Notice.account_id == account.id,
            Notice.read_at.is_(None),
            Notice.link.startswith("/work"),
        )
    ).all()
    session.add_all(
        Notice(
            account_id=successor.id,
            event_id=notice.event_id,
            text=notice.text,
            link=notice.link,
            created_at=clock(),
        )
        for notice in unread
    )
