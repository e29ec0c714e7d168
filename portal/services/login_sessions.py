"""Browser sessions: begin, end, list; and who it is that holds a session's token."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, exists, select, update
from sqlalchemy.orm import Session, aliased

from portal.actor import ANONYMOUS, Actor, RoleIn
from portal.clock import Clock, local_date
from portal.errors import NotFound
from portal.models.account import Account, LoginSession, Membership
from portal.models.delegation import NOT_LENT, Delegation
from portal.models.organisation import Organisation
from portal.models.sign_in import SecondFactor
from portal.services.login_steps import FACTOR, new_step

SESSION_HOURS = 12


@dataclass(frozen=True)
class NewSession:
    """A signed-in browser session; `token` goes into the cookie and is kept nowhere."""

    token: str
    account_id: int


@dataclass(frozen=True)
class FactorNeeded:
    """The password was right; `token` names the step at which the second factor is asked for."""

    token: str
    account_id: int


def begin(
    session: Session,
    clock: Clock,
    account: Account,
    *,
    agent: str = "",
    address: str = "",
    factor_required: bool = False,
    factor_shown: bool = False,
) -> NewSession | FactorNeeded:
    """Begin a session of an account whose holder is known, after the second factor if it has one.

    Args:
        factor_shown: the second factor was just shown, here or at the identity provider.
    """
    has_factor = session.scalar(
        select(SecondFactor.id)
        .where(SecondFactor.account_id == account.id, SecondFactor.confirmed_at.is_not(None))
        .limit(1)
    )
    if has_factor is not None and not factor_shown:
        facts = {"challenge": secrets.token_urlsafe(32)}  # what a passkey will sign
        return FactorNeeded(new_step(session, clock, FACTOR, account.id, facts), account.id)
    is_staff = any(m.organisation_id is not None for m in account.memberships)
    token = secrets.token_urlsafe(32)
    now = clock()
    session.add(
        LoginSession(
            token_hash=hash_token(token),
            account_id=account.id,
            created_at=now,
            expires_at=now + timedelta(hours=SESSION_HOURS),
            agent=agent[:200],
            address=address[:60],
            must_enrol=factor_required and is_staff and has_factor is None,
        )
    )
    return NewSession(token, account.id)


def sign_out(session: Session, clock: Clock, token: str) -> None:
    session.execute(
        update(LoginSession)
        .where(LoginSession.token_hash == hash_token(token))
        .values(revoked_at=clock())
    )


def list_sessions(session: Session, clock: Clock, account_id: int) -> Sequence[LoginSession]:
    """Return the sessions of an account that are open, the newest first."""
    query = select(LoginSession).where(
        LoginSession.account_id == account_id,
        LoginSession.revoked_at.is_(None),
        LoginSession.expires_at > clock(),
    )
    return session.scalars(query.order_by(LoginSession.id.desc())).all()


def end_session(session: Session, clock: Clock, account_id: int, session_id: int) -> None:
    """End one session of the account; twice changes nothing. Raises NotFound for another's."""
    found = session.get(LoginSession, session_id)
    if found is None or found.account_id != account_id:
        raise NotFound("没有这个登录。")
    found.revoked_at = found.revoked_at or clock()


def end_other_sessions(session: Session, account_id: int, token: str) -> None:
    """End every session of the account but the one whose token is given ("" ends all)."""
    session.execute(
        delete(LoginSession).where(
            LoginSession.account_id == account_id, LoginSession.token_hash != hash_token(token)
        )
    )


def is_session_of(found: LoginSession, token: str) -> bool:
    return found.token_hash == hash_token(token)


def actor_of_session(session: Session, clock: Clock, token: str) -> Actor:
    """Return who holds the cookie's token; the anonymous visitor when nobody does (any more)."""
    now = clock()
    asked = {"token_hash": hash_token(token), "now": now, "today": local_date(now)}
    rows = session.execute(_SESSION_HOLDER, asked).all()
    if not rows:
        return ANONYMOUS
    account_id, name, verified = rows[0][:3]
    must_enrol, stands_in = rows[0][6:8]
    if must_enrol:
        return Actor(account_id, name, (), verified, must_enrol=True)
    found = actor_of_rows(rows)
    if not stands_in:
        return found
    return Actor(
        account_id, name, found.roles + _lent_roles(session, account_id, local_date(now)), verified
    )


def acting(session: Session, clock: Clock, account: Account) -> Actor:
    """Return the account as an actor with the roles that it has today, lent ones included."""
    own = tuple(
        RoleIn(m.role, m.organisation_id, m.organisation.code if m.organisation else "")
        for m in account.memberships
    )
    lent = _lent_roles(session, account.id, local_date(clock()))
    return Actor(account.id, account.display_name, own + lent, account.identity_verified)


def actor_of_rows(rows: Sequence[Any]) -> Actor:
    """Return the actor out of a row for each of their roles (one without a role if there is none)."""
    if not rows:
        return ANONYMOUS
    roles = tuple(
        RoleIn(role, organisation_id, code or "")
        for _, _, _, role, organisation_id, code, *_ in rows
        if role is not None
    )
    account_id, name, verified = rows[0][:3]
    return Actor(account_id, name, roles, verified)


def _lent_roles(session: Session, substitute_id: int, today: date) -> tuple[RoleIn, ...]:
    """Return the roles of those for whom the account stands in today.

    Only those in organisations that both are of: whoever may name a substitute in one of them gives
    nothing away of another, and a colleague who has left there stands in there no more.
    """
    of_both = aliased(Membership)
    query = (
        select(
            Membership.role,
            Membership.organisation_id,
            Organisation.code,
            Account.id,
            Account.display_name,
        )
        .join(Account, Account.id == Membership.account_id)
        .join(Delegation, Delegation.account_id == Account.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(
            Delegation.substitute_id == substitute_id,
            *_runs(today),
            Account.disabled.is_(False),
            Membership.role.not_in(NOT_LENT),
            exists().where(
                of_both.account_id == substitute_id,
                of_both.organisation_id == Membership.organisation_id,
            ),
        )
        .order_by(Membership.id)
    )
    return tuple(RoleIn(*row) for row in session.execute(query))


def _runs(today: Any) -> tuple[Any, ...]:
    return (
        Delegation.starts_on <= today,
        Delegation.ends_on >= today,
        Delegation.ended_at.is_(None),
    )


HOLDER = (
    select(
        Account.id,
        Account.display_name,
        Account.identity_verified,
        Membership.role,
        Membership.organisation_id,
        Organisation.code,
    )
    .outerjoin(Membership, Membership.account_id == Account.id)
    .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
    .where(Account.disabled.is_(False))
    .order_by(Membership.id)
)
# One query with every role: each signed-in request and each call with a token asks it.
_SESSION_HOLDER = (
    HOLDER.join(LoginSession, LoginSession.account_id == Account.id)
    .where(
        LoginSession.token_hash == bindparam("token_hash"),
        LoginSession.revoked_at.is_(None),
        LoginSession.expires_at > bindparam("now"),
    )
    .add_columns(
        LoginSession.must_enrol,
        exists()
        .where(Delegation.substitute_id == Account.id, *_runs(bindparam("today")))
        .label("stands_in"),
    )
)


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
