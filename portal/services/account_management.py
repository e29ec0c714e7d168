"""What a Bureau administrator does with accounts, and what everybody does with the own one."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Forbidden, Invalid, NotFound
from portal.models.account import Account, ApiToken, LoginSession
from portal.models.organisation import Organisation
from portal.permissions import Permission, require
from portal.services import audit
from portal.services.accounts import (
    create_account,
    create_token,
    is_password_of,
    set_password,
)

FLOW = "account"
USERNAME_MAX, NAME_MAX, TOKENS_MAX = 60, 100, 20


def open_account(
    session: Session,
    clock: Clock,
    actor: Actor,
    *,
    username: str,
    display_name: str,
    role: str,
    organisation: Organisation | None,
) -> tuple[Account, str]:
    """Make a staff account; return it with its password, which is kept nowhere.

    Raises:
        Forbidden: not a Bureau administrator. Invalid: name missing or taken, role does not fit.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    username = username.strip().lower()
    if not (username and len(username) <= USERNAME_MAX and username.isprintable()):
        raise Invalid.one("username", "length", "用户名应为1至{n}个字。", n=USERNAME_MAX)
    if len(display_name) > NAME_MAX:
        raise Invalid.one("display_name", "too_long", "姓名或岗位不能超过{n}个字。", n=NAME_MAX)
    password = secrets.token_urlsafe(12)
    account = create_account(
        session,
        clock,
        username=username,
        password=password,
        display_name=display_name.strip(),
        memberships=[(role, organisation)],
    )
    _record(session, clock, actor, account, "create", {"role": role, "username": username})
    return account, password


def set_disabled(
    session: Session, clock: Clock, actor: Actor, account: Account, *, disabled: bool
) -> None:
    """Lock an account out at once, or let it in again. Nobody locks out the own account."""
    require(actor, Permission.ACCOUNT_MANAGE)
    if account.id == actor.account_id:
        raise Invalid.one("", "own_account", "不能停用自己的账号，请由其他管理员办理。")
    if account.disabled == disabled:
        return
    account.disabled = disabled
    if disabled:
        session.execute(delete(LoginSession).where(LoginSession.account_id == account.id))
    _record(session, clock, actor, account, "disable" if disabled else "enable", {})


def _record(
    session: Session,
    clock: Clock,
    actor: Actor,
    account: Account,
    event: str,
    details: dict[str, str],
) -> None:
    session.flush()
    audit.record(
        session,
        clock,
        actor,
        flow=FLOW,
        event=event,
        subject_id=account.id,
        details={"account": account.username, **details},
    )


def change_password(session: Session, actor: Actor, *, current: str, new: str, again: str) -> None:
    """Change the own password; every session of the account ends.

    Raises:
        Invalid: the current password is wrong, the new one too short or not typed twice the same.
    """
    account = own_account(session, actor)
    if not is_password_of(account, current):
        raise Invalid.one("current", "wrong", "当前密码不正确。")
    if new != again:
        raise Invalid.one("again", "different", "两次输入的新密码不一致。")
    set_password(session, account, new)


def want_digest(session: Session, actor: Actor, *, wanted: bool) -> None:
    """Say whether the own account gets the daily mail."""
    own_account(session, actor).digest = wanted


def own_account(session: Session, actor: Actor) -> Account:
    account = session.get(Account, actor.account_id) if actor.account_id is not None else None
    if account is None:
        raise Forbidden()
    return account


def issue_token(session: Session, clock: Clock, actor: Actor, name: str) -> str:
    """Make an Action API token of the own account; it is returned once."""
    if len(list_tokens(session, actor)) >= TOKENS_MAX:
        raise Invalid.one("name", "too_many", "最多{n}个有效令牌，请先撤销不用的。", n=TOKENS_MAX)
    if not name.strip() or len(name) > NAME_MAX:
        raise Invalid.one("name", "length", "请填写1至{n}个字的用途。", n=NAME_MAX)
    return create_token(session, clock, own_account(session, actor), name.strip())


def list_tokens(session: Session, actor: Actor) -> Sequence[ApiToken]:
    query = select(ApiToken).where(
        ApiToken.account_id == actor.account_id, ApiToken.revoked_at.is_(None)
    )
    return session.scalars(query.order_by(ApiToken.id.desc())).all()


def revoke_token(session: Session, clock: Clock, actor: Actor, token_id: int) -> None:
    """Revoke a token of the own account; twice changes nothing."""
    token = session.get(ApiToken, token_id)
    if token is None or token.account_id != actor.account_id:
        raise NotFound("没有这个令牌。")
    token.revoked_at = token.revoked_at or clock()
