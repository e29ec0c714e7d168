"""Notices: who is told of an event, written in the event's own transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import bindparam, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from portal.actor import acts_as
from portal.clock import Clock, local_date
from portal.codes import code_list
from portal.models.account import Membership
from portal.models.audit import AuditEvent
from portal.models.delegation import Delegation
from portal.models.duty import Notice

Audience = Callable[[Session, Any], Iterable[int]]
"""Returns the account ids that stand behind a name such as "grantees" for a subject."""

_AUDIENCES: dict[str, Audience] = {}

_HOLDERS = select(Membership.account_id).where(
    Membership.role.in_(bindparam("roles", expanding=True))
)
_HOLDERS_IN = _HOLDERS.where(
    Membership.organisation_id.in_(bindparam("organisations", expanding=True))
)


def add_audiences(audiences: Mapping[str, Audience]) -> None:
    """Bind names of the tables' `told_ids` that an extension knows (grantees, followers)."""
    _AUDIENCES.update(audiences)


@cache
def roles_acting_as(kind: str) -> frozenset[str]:
    return frozenset(role.code for role in code_list("roles") if kind in acts_as(role.code))


def accounts_acting_as(
    session: Session, kind: str, organisation_ids: frozenset[int] | None
) -> frozenset[int]:
    """Return the accounts that act as `kind`; within the organisations, or anywhere for None."""
    asked: dict[str, Any] = {"roles": sorted(roles_acting_as(kind))}
    if organisation_ids is None:
        return frozenset(session.scalars(_HOLDERS, asked))
    asked["organisations"] = sorted(organisation_ids)
    return frozenset(session.scalars(_HOLDERS_IN, asked))


def audience_of(
    session: Session,
    names: Iterable[str],
    subject: Any,
    organisations: Mapping[str, frozenset[int]],
    persons: Mapping[str, frozenset[int]],
) -> frozenset[int]:
    """Return every account that the named audiences hold for the subject."""
    accounts: set[int] = set()
    for name in names:
        if name in persons:
            accounts |= persons[name]
        elif name == "bureau":
            accounts |= accounts_acting_as(session, "bureau", None)
        elif name in organisations:
            accounts |= accounts_acting_as(session, name, organisations[name])
        elif name in _AUDIENCES:
            accounts |= set(_AUDIENCES[name](session, subject))
    return frozenset(accounts)


def tell(
    session: Session, clock: Clock, accounts: Iterable[int], event: AuditEvent, text: str, link: str
) -> None:
    session.flush()
    accounts = frozenset(accounts)
    accounts |= _substitutes_of(session, clock, accounts) - {event.actor_id}
    session.add_all(
        Notice(account_id=account, event_id=event.id, text=text, link=link, created_at=clock())
        for account in sorted(accounts)
    )


def _substitutes_of(session: Session, clock: Clock, accounts: frozenset[int]) -> frozenset[int]:
    """Return who stands in for some of the accounts today.

    Not for somebody with roles in an organisation that is not theirs: it may be meant for that one.
    """
    if not accounts:
        return frozenset()
    today = local_date(clock())
    of_principal, of_substitute = aliased(Membership), aliased(Membership)
    elsewhere = exists().where(
        of_principal.account_id == Delegation.account_id,
        of_principal.organisation_id.not_in(
            select(of_substitute.organisation_id).where(
                of_substitute.account_id == Delegation.substitute_id,
                of_substitute.organisation_id.is_not(None),
            )
        ),
    )
    query = select(Delegation.substitute_id).where(
        Delegation.account_id.in_(accounts),
        ~elsewhere,
        Delegation.starts_on <= today,
        Delegation.ends_on >= today,
        Delegation.ended_at.is_(None),
    )
    return frozenset(session.scalars(query))


def count_unread(session: Session, account_id: int) -> int:
    query = select(func.count(Notice.id)).where(
        Notice.account_id == account_id, Notice.read_at.is_(None)
    )
    return session.scalar(query) or 0


def list_notices(session: Session, account_id: int, *, limit: int = 50) -> list[Notice]:
    return list(
        session.scalars(
            select(Notice)
            .where(Notice.account_id == account_id)
            .order_by(Notice.id.desc())
            .limit(limit)
        )
    )


def mark_read(session: Session, clock: Clock, account_id: int) -> None:
    session.execute(
        update(Notice)
        .where(Notice.account_id == account_id, Notice.read_at.is_(None))
        .values(read_at=clock())
    )
