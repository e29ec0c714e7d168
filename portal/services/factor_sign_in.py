"""The second half of a sign-in: a code, a recovery code or a passkey after the right password."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from portal.clock import Clock
from portal.db import Database
from portal.errors import Invalid, PortalError
from portal.models.account import Account
from portal.models.sign_in import LoginStep
from portal.services import second_factors
from portal.services.login_sessions import NewSession, begin
from portal.services.login_steps import FACTOR, get_step, take_step

Check = Callable[[Session, LoginStep], bool]
"""Uses up what was shown for the step's account; False if it is wrong. May write."""


class WrongCode(PortalError):
    code = "wrong_code"
    default_message = "验证没有通过：验证码不正确或已使用过。"


def finish_sign_in(
    database: Database,
    clock: Clock,
    secret_key: str,
    token: str,
    check: Check,
    *,
    agent: str,
    address: str,
) -> NewSession:
    """Check the second factor of the step and begin the session.

    Wrong ones are counted in a transaction of their own, by account: a new password entry does
    not give new guesses.

    Raises:
        TooManyRequests: too many wrong ones. WrongCode: this one is wrong.
        Invalid: the step has lapsed; the sign-in begins anew.
    """
    with database.reading() as session:
        step = get_step(session, clock, FACTOR, token)
        assert step.account_id is not None
        second_factors.check_not_locked(session, clock, secret_key, step.account_id)
    with database.writing() as session:
        step = get_step(session, clock, FACTOR, token)
        assert step.account_id is not None
        if check(session, step):
            take_step(session, clock, FACTOR, token)
            second_factors.forget_wrong_codes(session, secret_key, step.account_id)
            return _begin(session, clock, step.account_id, agent, address)
        second_factors.count_wrong_code(session, clock, secret_key, step.account_id)
    raise WrongCode()


def code_check(clock: Clock, secret_key: str, code: str) -> Check:
    """Return the check of a code that was typed."""

    def check(session: Session, step: LoginStep) -> bool:
        assert step.account_id is not None
        return (
            second_factors.use_code(session, clock, secret_key, step.account_id, code) is not None
        )

    return check


def _begin(session: Session, clock: Clock, account_id: int, agent: str, address: str) -> NewSession:
    account = session.get(Account, account_id)
    if account is None or account.disabled:
        raise Invalid.one("", "step_lapsed", "登录超时或已完成，请重新登录。")
    begun = begin(session, clock, account, agent=agent, address=address, factor_shown=True)
    assert isinstance(begun, NewSession)
    return begun
