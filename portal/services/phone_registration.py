"""Registration with a mobile number: a code by text message, good once and for ten minutes.

Nobody learns from an answer who has an account: a wish becomes a job, the same for known and unknown
numbers, and only the number's holder is told which it was. A code belongs to one wish, whose random
name only the browser knows that made it: it cannot be guessed from elsewhere, and ten tries end it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import Clock
from portal.errors import Defect, Invalid, TooManyRequests
from portal.jobs.queue import enqueue
from portal.models.account import Account
from portal.models.message import MailedLink
from portal.rules.mail_address import clean_mobile
from portal.services.mailed_links import PHONE, LinkLapsed, get_link, make_link, use_link
from portal.services.outgoing import write_text_message
from portal.services.rates import count_hit
from portal.services.registration import Newcomer

TEXT_CODE = "text_registration_code"
HOUR_SECONDS, DAY_SECONDS = 3600, 86400
FROM_ONE_ADDRESS, TO_ONE_NUMBER, TO_ONE_NUMBER_A_DAY, TRIES = 10, 3, 10, 10
MINUTES = 10


def ask_for_code(session: Session, clock: Clock, *, mobile: str, caller: str) -> tuple[str, str]:
    """Take a wish to register; return its random name and the number, as 11 digits.

    Raises:
        Invalid: no mobile number. TooManyRequests: too many wishes from that network address.
    """
    number = clean_mobile(mobile)
    if number is None:
        raise Invalid.one("mobile", "format", "请填写11位手机号。")
    key = f"phone:from:{_short(caller)}"
    state = count_hit(session, clock(), key, limit=FROM_ONE_ADDRESS, window_seconds=HOUR_SECONDS)
    if not state.allowed:
        raise TooManyRequests(retry_after_seconds=state.reset_seconds)
    wish = secrets.token_urlsafe(24)
    enqueue(session, clock, TEXT_CODE, {"mobile": number, "wish": wish})
    return wish, number


def text_code(session: Session, clock: Clock, title: str, mobile: str, wish: str) -> None:
    """Write the message for a wish (the worker; should it run twice, one message goes out)."""
    if _is_number_full(session, clock, mobile):
        return
    key = f"wish:{_short(wish)}"  # the wish itself is nowhere beside the code's hash
    known = accounts_of_phone(session, mobile)
    if known:
        text = f"【{title}】这个手机号已有账号，用户名是“{known[0].username}”，请直接登录。非本人操作请忽略。"
        write_text_message(session, clock, kind="register", mobile=mobile, text=text, key=key)
        return
    code = f"{secrets.randbelow(1_000_000):06d}"
    link, _ = make_link(session, clock, PHONE, mobile, token=_token(wish, code))
    text = f"【{title}】注册验证码 {code}，{MINUTES}分钟内有效，请勿告诉他人。非本人操作请忽略。"
    write_text_message(
        session,
        clock,
        kind="register",
        mobile=mobile,
        text=text,
        key=key,
        expires_at=link.expires_at,
    )


def count_try(session: Session, clock: Clock, wish: str) -> None:
    """Count one try of a code, in a transaction of its own: a refusal must not roll it back.

    Raises:
        TooManyRequests: the wish has had its tries; another code has to be asked for.
    """
    key = f"phone:try:{_short(wish)}"
    state = count_hit(session, clock(), key, limit=TRIES, window_seconds=HOUR_SECONDS)
    if not state.allowed:
        raise TooManyRequests(
            "尝试次数过多，请重新获取验证码。", retry_after_seconds=state.reset_seconds
        )


def register_by_phone(
    session: Session,
    clock: Clock,
    *,
    wish: str,
    mobile: str,
    code: str,
    username: str,
    display_name: str,
    password: str,
    again: str,
) -> Account:
    """Make the account of somebody who has the code for their number.

    Raises:
        Invalid: every defect of code, names and password at once; the code stays good.
    """
    newcomer = Newcomer.of(username, display_name, password, again)
    found = _code_defects(session, clock, wish, mobile, code) + newcomer.defects(session, mobile)
    if found:
        raise Invalid(found)
    use_link(session, clock, PHONE, _token(wish, code))
    if accounts_of_phone(session, mobile):
        raise Invalid.one("", "phone_taken", "这个手机号已有账号，请直接登录。")
    account = newcomer.make_account(session, clock)
    account.phone, account.phone_verified_at = mobile, clock()
    return account


def accounts_of_phone(session: Session, mobile: str) -> Sequence[Account]:
    """Return the account whose confirmed number this is, if there is one."""
    query = select(Account).where(
        Account.phone == mobile, Account.phone_verified_at.is_not(None), Account.erased_at.is_(None)
    )
    return session.scalars(query).all()


def _code_defects(
    session: Session, clock: Clock, wish: str, mobile: str, code: str
) -> list[Defect]:
    try:
        link: MailedLink | None = get_link(session, clock, PHONE, _token(wish, code))
    except LinkLapsed:
        link = None
    if link is None or link.email != mobile:
        return [Defect("code", "wrong", "验证码不正确或已过期，请核对或重新获取。")]
    return []


def _token(wish: str, code: str) -> str:
    return f"{wish}:{code.strip()}"


def _is_number_full(session: Session, clock: Clock, mobile: str) -> bool:
    """True once a number had its messages of this hour or day: nobody floods a telephone."""
    windows = ((TO_ONE_NUMBER, HOUR_SECONDS), (TO_ONE_NUMBER_A_DAY, DAY_SECONDS))
    return not all(
        count_hit(
            session,
            clock(),
            f"phone:to:{seconds}:{_short(mobile)}",
            limit=limit,
            window_seconds=seconds,
        ).allowed
        for limit, seconds in windows
    )


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
