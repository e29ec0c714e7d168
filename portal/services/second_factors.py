"""Second factors: one-time codes of an authenticator (TOTP), recovery codes, and who must have one.

A code is good for its half minute and one before and after (clocks differ), and once: the time step
that was accepted is kept, and none at or before it is accepted again.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import pyotp
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Invalid, NotFound
from portal.models.account import Account, LoginFailure, LoginSession
from portal.models.sign_in import RecoveryCode, SecondFactor
from portal.permissions import Permission, require
from portal.services import audit
from portal.services.account_management import FLOW, own_account
from portal.services.accounts import (
    FREE_FAILURES,
    check_locks,
    count_failure,
    failure_key,
    is_password_of,
)
from portal.services.login_sessions import end_other_sessions, hash_token
from portal.services.sealed_text import seal, unseal

TOTP, PASSKEY = "totp", "passkey"
SEALED_FOR = "second-factor"
STEP_SECONDS = 30
WINDOW = 1
RECOVERY_CODES = 10
FACTORS_MAX = 10
NAME_MAX = 60
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that is read as something else
_DIGITS = re.compile(r"[0-9]{6}", re.A)


@dataclass(frozen=True)
class NewTotp:
    """What an authenticator needs: the secret to type, and the address that a QR code carries."""

    secret: str
    address: str


def begin_totp(
    session: Session, clock: Clock, actor: Actor, secret_key: str, issuer: str
) -> NewTotp:
    """Make a secret that counts once it is confirmed with a code; an unfinished one is replaced."""
    account = own_account(session, actor)
    check_room(session, account.id)
    session.execute(
        delete(SecondFactor).where(
            SecondFactor.account_id == account.id,
            SecondFactor.kind == TOTP,
            SecondFactor.confirmed_at.is_(None),
        )
    )
    secret = pyotp.random_base32()
    session.add(
        SecondFactor(
            account_id=account.id,
            kind=TOTP,
            name="",
            secret=seal(secret_key, SEALED_FOR, secret),
            created_at=clock(),
        )
    )
    return _new_totp(secret, account, issuer)


def unfinished_totp(session: Session, actor: Actor, secret_key: str, issuer: str) -> NewTotp | None:
    """Return the secret that waits for its first code."""
    account = own_account(session, actor)
    factor = _unconfirmed(session, account.id)
    secret = unseal(secret_key, SEALED_FOR, factor.secret) if factor else None
    return _new_totp(secret, account, issuer) if secret else None


def _new_totp(secret: str, account: Account, issuer: str) -> NewTotp:
    address = pyotp.TOTP(secret).provisioning_uri(name=account.username, issuer_name=issuer)
    return NewTotp(secret, address)


def confirm_totp(
    session: Session,
    clock: Clock,
    actor: Actor,
    secret_key: str,
    *,
    code: str,
    name: str,
    token: str,
) -> list[str]:
    """Let the secret count, after its first code; return recovery codes if there were none.

    Every other session of the account ends; this one is complete from now on.

    Raises:
        Invalid: the code is wrong, or no secret waits.
    """
    account = own_account(session, actor)
    factor = _unconfirmed(session, account.id)
    if factor is None:
        raise Invalid.one("code", "not_begun", "请先取得新的密钥，再输入验证码。")
    step = _matching_step(clock, unseal(secret_key, SEALED_FOR, factor.secret), code)
    if step is None:
        raise Invalid.one("code", "wrong", "验证码不正确，请核对手机时间后输入最新的6位数字。")
    factor.name = (name.strip() or "身份验证器")[:NAME_MAX]
    factor.confirmed_at, factor.counter = clock(), step
    return completed(session, clock, actor, account, factor, token)


def completed(
    session: Session,
    clock: Clock,
    actor: Actor,
    account: Account,
    factor: SecondFactor,
    token: str,
) -> list[str]:
    """Record a new factor, end the other sessions, and return recovery codes if there are none."""
    end_other_sessions(session, account.id, token)
    session.execute(
        update(LoginSession)
        .where(LoginSession.token_hash == hash_token(token))
        .values(must_enrol=False)
    )
    record(session, clock, actor, account, "add_factor", factor.kind)
    return (
        new_recovery_codes(session, clock, account.id)
        if not _codes_left(session, account.id)
        else []
    )


def renew_recovery_codes(session: Session, clock: Clock, actor: Actor, password: str) -> list[str]:
    """Replace the recovery codes; the old ones are worthless. Raises Invalid: wrong password."""
    account = own_account(session, actor)
    if not is_password_of(account, password):
        raise Invalid.one("password", "wrong", "当前密码不正确。")
    if not list_factors(session, account.id):
        raise Invalid.one("", "no_factor", "请先启用一种二次验证方式。")
    record(session, clock, actor, account, "renew_codes", "")
    return new_recovery_codes(session, clock, account.id)


def new_recovery_codes(session: Session, clock: Clock, account_id: int) -> list[str]:
    """Return ten new codes of 50 bits; the rows keep their SHA-256 only."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    session.add_all(
        RecoveryCode(account_id=account_id, code_hash=_code_hash(code), created_at=clock())
        for code in codes
    )
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def use_code(
    session: Session, clock: Clock, secret_key: str, account_id: int, code: str
) -> str | None:
    """Use a code of an authenticator or a recovery code up; return its kind, None if it is wrong."""
    cleaned = re.sub(r"[\s-]", "", code).upper()
    if _DIGITS.fullmatch(cleaned):
        return TOTP if _use_totp(session, clock, secret_key, account_id, cleaned) else None
    used = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.account_id == account_id,
            RecoveryCode.code_hash == _code_hash(cleaned),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=clock())
    )
    return "recovery" if used.rowcount == 1 else None  # type: ignore[attr-defined]


def _use_totp(session: Session, clock: Clock, secret_key: str, account_id: int, code: str) -> bool:
    for factor in list_factors(session, account_id):
        if factor.kind != TOTP:
            continue
        step = _matching_step(clock, unseal(secret_key, SEALED_FOR, factor.secret), code)
        if step is None:
            continue
        moved = session.execute(  # of two that bring the same code at once, one gets in
            update(SecondFactor)
            .where(SecondFactor.id == factor.id, SecondFactor.counter < step)
            .values(counter=step, last_used_at=clock())
        )
        return bool(moved.rowcount == 1)  # type: ignore[attr-defined]
    return False


def _matching_step(clock: Clock, secret: str | None, code: str) -> int | None:
    """Return the time step whose code this is, within the window."""
    cleaned = re.sub(r"\s", "", code)
    if secret is None or not _DIGITS.fullmatch(cleaned):
        return None
    totp, now = pyotp.TOTP(secret), int(clock().timestamp()) // STEP_SECONDS
    for step in range(now - WINDOW, now + WINDOW + 1):
        if hmac.compare_digest(totp.generate_otp(step), cleaned):
            return step
    return None


def lock_of(secret_key: str, account_id: int) -> str:
    return failure_key(secret_key, "factor", str(account_id))


def check_not_locked(session: Session, clock: Clock, secret_key: str, account_id: int) -> None:
    """Raises TooManyRequests: too many wrong codes."""
    check_locks(session, clock(), [lock_of(secret_key, account_id)])


def count_wrong_code(session: Session, clock: Clock, secret_key: str, account_id: int) -> None:
    count_failure(session, clock(), lock_of(secret_key, account_id), FREE_FAILURES)


def forget_wrong_codes(session: Session, secret_key: str, account_id: int) -> None:
    session.execute(delete(LoginFailure).where(LoginFailure.key == lock_of(secret_key, account_id)))


def list_factors(session: Session, account_id: int) -> Sequence[SecondFactor]:
    """Return the factors that count, the oldest first."""
    query = select(SecondFactor).where(
        SecondFactor.account_id == account_id, SecondFactor.confirmed_at.is_not(None)
    )
    return session.scalars(query.order_by(SecondFactor.id)).all()


def accounts_with_factor(session: Session, account_ids: Iterable[int]) -> frozenset[int]:
    """Return which of the accounts have a second factor that counts."""
    query = select(SecondFactor.account_id).where(
        SecondFactor.account_id.in_(list(account_ids)), SecondFactor.confirmed_at.is_not(None)
    )
    return frozenset(session.scalars(query))


def count_recovery_codes(session: Session, account_id: int) -> int:
    return _codes_left(session, account_id)


def remove_factor(
    session: Session,
    clock: Clock,
    actor: Actor,
    factor_id: int,
    *,
    password: str,
    required: bool,
) -> None:
    """Remove a factor of the own account; with the last one the recovery codes go.

    Raises:
        Invalid: wrong password; or it is the last one and the actor's roles demand one.
    """
    account = own_account(session, actor)
    factors = list_factors(session, account.id)
    factor = next((f for f in factors if f.id == factor_id), None)
    if factor is None:
        raise NotFound("没有这种二次验证方式。")
    if not is_password_of(account, password):
        raise Invalid.one("password", "wrong", "当前密码不正确。")
    if len(factors) == 1 and required and actor.organisation_ids:
        raise Invalid.one(
            "", "required", "工作人员须保留二次验证：请先添加新的方式，再移除这一种。"
        )
    session.delete(factor)
    if len(factors) == 1:
        session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    record(session, clock, actor, account, "remove_factor", factor.kind)


def reset_factors(session: Session, clock: Clock, actor: Actor, account: Account) -> None:
    """Take every factor of somebody who lost them; their sessions end. For administrators."""
    require(actor, Permission.ACCOUNT_MANAGE)
    if account.id == actor.account_id:
        raise Invalid.one("", "own_account", "不能重置自己的二次验证，请由其他管理员办理。")
    for model in (SecondFactor, RecoveryCode, LoginSession):
        session.execute(delete(model).where(model.account_id == account.id))
    record(session, clock, actor, account, "reset_factors", "")


def record(
    session: Session, clock: Clock, actor: Actor, account: Account, event: str, kind: str
) -> None:
    session.flush()
    details = {"account": account.username, **({"kind": kind} if kind else {})}
    audit.record(
        session, clock, actor, flow=FLOW, event=event, subject_id=account.id, details=details
    )


def check_room(session: Session, account_id: int) -> None:
    if len(list_factors(session, account_id)) >= FACTORS_MAX:
        raise Invalid.one("", "too_many", "最多{n}种二次验证方式，请先移除不用的。", n=FACTORS_MAX)


def may_have_passkeys(site_url: str) -> bool:
    """Passkeys need HTTPS, or the name localhost."""
    parts = urlsplit(site_url)
    return parts.scheme == "https" or parts.hostname == "localhost"


def _unconfirmed(session: Session, account_id: int) -> SecondFactor | None:
    return session.scalars(
        select(SecondFactor)
        .where(
            SecondFactor.account_id == account_id,
            SecondFactor.kind == TOTP,
            SecondFactor.confirmed_at.is_(None),
        )
        .order_by(SecondFactor.id.desc())
    ).first()


def _codes_left(session: Session, account_id: int) -> int:
    query = select(func.count(RecoveryCode.id)).where(
        RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None)
    )
    return session.scalar(query) or 0


def _code_hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
