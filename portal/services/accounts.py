"""Accounts: sign in with slowed guesses, sessions that can be revoked, Action API tokens."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from portal.actor import ANONYMOUS, Actor, RoleIn
from portal.clock import Clock
from portal.codes import code_list
from portal.db import Database
from portal.errors import Invalid, PortalError, TooManyRequests
from portal.models.account import (
    Account,
    ApiToken,
    LoginFailure,
    LoginSession,
    Membership,
    find_account,
)
from portal.models.organisation import Organisation
from portal.rules.passwords import SHORTEST, password_defects
from portal.services.login_sessions import (
    HOLDER,
    FactorNeeded,
    NewSession,
    actor_of_rows,
    begin,
    hash_token,
)

FREE_FAILURES = 5
LONGEST_LOCK_SECONDS = 900
SHORTEST_PASSWORD = SHORTEST
TOKEN_PREFIX = "xy_"
AUDITOR = "auditor"
_hasher = PasswordHasher()


class WrongPassword(PortalError):
    """One message for a wrong name and a wrong password, so that names cannot be guessed."""

    code = "wrong_password"
    default_message = "用户名或密码不正确。"


def create_account(
    session: Session,
    clock: Clock,
    *,
    username: str,
    password: str,
    display_name: str = "",
    memberships: Sequence[tuple[str, Organisation | None]] = (),
    applicant_kind: str = "",
    applicant_name: str = "",
    identity_verified: bool = False,
    email: str = "",
) -> Account:
    """Make an account with its roles.

    Raises:
        Invalid: name taken, password too short, unknown role, or a role without its organisation.
    """
    if find_account(session, username) is not None:
        raise Invalid.one("username", "taken", "用户名“{value}”已被使用。", value=username)
    _check_password(password, username, email, display_name)
    account = Account(
        username=username,
        display_name=display_name or username,
        email=email,
        password_hash=_hasher.hash(password),
        applicant_kind=applicant_kind,
        applicant_name=applicant_name,
        identity_verified=identity_verified,
        created_at=clock(),
    )
    check_separation([role for role, organisation in memberships if organisation is not None])
    for role, organisation in memberships:
        check_role(role, organisation)
        account.memberships.append(Membership(role=role, organisation=organisation))
    session.add(account)
    session.flush()
    return account


def check_separation(roles: Sequence[str]) -> None:
    """No role can change data and hide it: who audits has no other role. Raises Invalid."""
    if AUDITOR in roles and any(role != AUDITOR for role in roles):
        text = "审计员不能兼任其他角色，其他人员也不能兼任审计员。"
        raise Invalid.one("role", "separation", text)


def check_role(role: str, organisation: Organisation | None) -> None:
    found = code_list("roles").find(role)
    if found is None:
        raise Invalid.one("role", "unknown_code", "没有名为“{role}”的角色。", role=role)
    kinds = found["organisation_kinds"]
    if kinds == "none":
        return
    if organisation is None:
        raise Invalid.one("org", "missing", "角色“{role}”须指定所属机构。", role=found.name)
    allowed = set(kinds.split(";")) | (
        {"public_utility"} if "agency" in kinds.split(";") else set()
    )
    if organisation.kind not in allowed:
        raise Invalid.one(
            "org",
            "wrong_kind",
            "机构“{org}”不能设置角色“{role}”。",
            org=organisation.name,
            role=found.name,
        )


def set_password(session: Session, account: Account, password: str) -> None:
    """Set a new password and end every session of the account."""
    _check_password(password, account.username, account.email, account.display_name)
    account.password_hash = _hasher.hash(password)
    session.execute(delete(LoginSession).where(LoginSession.account_id == account.id))


def _check_password(password: str, *names: str) -> None:
    found = password_defects(password, *names)
    if found:
        raise Invalid(found)


def is_password_of(account: Account, password: str) -> bool:
    """Say whether a password is the account's; takes the time of argon2."""
    try:
        return bool(_hasher.verify(account.password_hash, password))
    except (VerificationError, InvalidHashError):
        return False


@cache
def _dummy_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe(16))


def sign_in(
    database: Database,
    clock: Clock,
    secret: str,
    *,
    username: str,
    password: str,
    address: str,
    agent: str = "",
    factor_required: bool = False,
) -> NewSession | FactorNeeded:
    """Check a password; start a session, or the step before it where a second factor is set up.

    Failures are counted by name and by address in transactions of their own, so that an error
    does not roll the count back. A name that does not exist costs the same time.

    Args:
        factor_required: staff without a second factor get a session that only sets one up.

    Raises:
        TooManyRequests: too many failures; says after how many seconds to try again.
        WrongPassword: name or password is wrong.
    """
    with database.reading() as session:
        account = find_account(session, username)
        name = account.username if account is not None else username  # also found by its public id
        keys = [failure_key(secret, "name", name), failure_key(secret, "address", address)]
        check_locks(session, clock(), keys)
    right = _password_is_right(account, password)
    with database.writing() as session:
        if not right or account is None:
            for key, free in zip(keys, (FREE_FAILURES, FREE_FAILURES * 10), strict=True):
                count_failure(session, clock(), key, free)
        else:
            session.execute(delete(LoginFailure).where(LoginFailure.key == keys[0]))
            return begin(
                session,
                clock,
                account,
                agent=agent,
                address=address,
                factor_required=factor_required,
            )
    raise WrongPassword()


def _password_is_right(account: Account | None, password: str) -> bool:
    kept = account.password_hash if account is not None else _dummy_hash()
    try:
        _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
    return account is not None and not account.disabled


def failure_key(secret: str, kind: str, value: str) -> str:
    return hmac.new(secret.encode(), f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()


def check_locks(session: Session, now: datetime, keys: list[str]) -> None:
    locks = session.scalars(
        select(LoginFailure.locked_until).where(
            LoginFailure.key.in_(keys), LoginFailure.locked_until > now
        )
    ).all()
    until = max((lock for lock in locks if lock is not None), default=None)
    if until is not None:
        raise TooManyRequests(
            "登录失败次数过多，请在 {retry_after_seconds} 秒后重试。",
            retry_after_seconds=int((until - now).total_seconds()) + 1,
        )


def count_failure(session: Session, now: datetime, key: str, free: int) -> None:
    row = session.get(LoginFailure, key, with_for_update=True)
    if row is None:
        row = LoginFailure(key=key, failures=0, last_at=now)
        session.add(row)
    elif row.last_at < now - timedelta(hours=24):
        row.failures = 0
    row.failures, row.last_at = row.failures + 1, now
    if row.failures >= free:
        wait = min(2 ** (row.failures - free) * 15, LONGEST_LOCK_SECONDS)
        row.locked_until = now + timedelta(seconds=wait)


def create_token(session: Session, clock: Clock, account: Account, name: str = "") -> str:
    """Make an Action API token; it is returned once and kept as a hash."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    session.add(
        ApiToken(
            account_id=account.id,
            name=name,
            prefix=token[:10],
            token_hash=hash_token(token),
            created_at=clock(),
        )
    )
    return token


def actor_of_token(session: Session, token: str) -> Actor:
    """Return who holds the token. A bad token is an anonymous visitor, as CKAN has it."""
    return actor_of_rows(session.execute(_TOKEN_HOLDER, {"token_hash": hash_token(token)}).all())


_TOKEN_HOLDER = HOLDER.join(ApiToken, ApiToken.account_id == Account.id).where(
    ApiToken.token_hash == bindparam("token_hash"), ApiToken.revoked_at.is_(None)
)


def actor_of(account: Account | None) -> Actor:
    if account is None or account.disabled:
        return ANONYMOUS
    roles = tuple(
        RoleIn(m.role, m.organisation_id, m.organisation.code if m.organisation else "")
        for m in account.memberships
    )
    return Actor(account.id, account.display_name, roles, account.identity_verified)


def is_hash_of(token_hash: str, token: str) -> bool:
    """Say whether a token is the one that was kept as this hash."""
    return hmac.compare_digest(token_hash, hash_token(token))
