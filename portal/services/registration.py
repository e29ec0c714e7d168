"""Registration and forgotten passwords by mail. Nobody learns from an answer who has an account.

What somebody typed into a form becomes a job, the same for known and unknown addresses; the worker
looks up who it is and writes the mail. Both ends therefore take the same time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Defect, Invalid, TooManyRequests
from portal.jobs.queue import enqueue
from portal.models.account import Account, find_account
from portal.models.message import MailedLink, OutgoingMessage
from portal.models.organisation import Organisation
from portal.rules.mail_address import clean_address
from portal.rules.passwords import password_defects
from portal.services import mail_texts
from portal.services.account_management import NAME_MAX, USERNAME_MAX, own_account
from portal.services.accounts import create_account, is_password_of, set_password
from portal.services.mail_texts import MailText, Site
from portal.services.mailed_links import (
    EMAIL,
    REGISTER,
    RESET,
    get_link,
    make_link,
    use_link,
    withdraw_links,
)
from portal.services.outgoing import write_mail
from portal.services.rates import count_hit

APPLICANT = "applicant"  # the role of whoever registers for themselves
MAIL_REGISTRATION, MAIL_RESET = "mail_registration_link", "mail_reset_link"
HOUR_SECONDS = 3600
FROM_ONE_ADDRESS, TO_ONE_MAILBOX = 20, 3


def ask_to_register(session: Session, clock: Clock, *, email: str, caller: str) -> None:
    """Take a wish to register; the mail says how it goes on.

    Args:
        caller: the network address, for which wishes are counted.

    Raises:
        Invalid: not a mail address. TooManyRequests: too many wishes from there.
    """
    address = _address(email)
    _count_caller(session, clock, caller)
    enqueue(session, clock, MAIL_REGISTRATION, {"email": address, "wish": str(uuid4())})


def ask_to_reset(session: Session, clock: Clock, *, name: str, caller: str) -> None:
    """Take a wish for a new password, by user name or mail address.

    Raises:
        Invalid: nothing was typed. TooManyRequests: too many wishes from there.
    """
    name = name.strip()[:254]
    if not name:
        raise Invalid.one("name", "missing", "请填写用户名或邮箱。")
    _count_caller(session, clock, caller)
    enqueue(session, clock, MAIL_RESET, {"name": name, "wish": str(uuid4())})


def mail_registration(session: Session, clock: Clock, site: Site, email: str, wish: str) -> None:
    """Write the mail for a wish to register (the worker; may run twice)."""
    if _is_written(session, wish) or _is_mailbox_full(session, clock, email):
        return
    known = accounts_of_email(session, email)
    if known:
        text = mail_texts.registered_already(site, known[0].username)
        _write(session, clock, "register", email, text, wish, known[0].id)
        return
    link, token = make_link(session, clock, REGISTER, email)
    _write(
        session, clock, "register", email, mail_texts.registration(site, token), wish, None, link
    )


def mail_reset(session: Session, clock: Clock, site: Site, name: str, wish: str) -> None:
    """Write the mail for a wish to reset, if the name is somebody's with a verified address."""
    address = clean_address(name)
    account = find_account(session, name)
    if account is None and address is not None:
        account = next(iter(accounts_of_email(session, address)), None)
    if account is None or account.disabled or account.email_verified_at is None:
        return
    if _is_written(session, wish) or _is_mailbox_full(session, clock, account.email):
        return
    link, token = make_link(session, clock, RESET, account.email, account_id=account.id)
    text = mail_texts.reset(site, account.username, token)
    _write(session, clock, "reset", account.email, text, wish, account.id, link)


def registration_email(session: Session, clock: Clock, token: str) -> str:
    """Return the address that a registration link stands for. Raises LinkLapsed."""
    return get_link(session, clock, REGISTER, token).email


def register(
    session: Session,
    clock: Clock,
    token: str,
    *,
    username: str,
    display_name: str,
    password: str,
    again: str,
) -> Account:
    """Make the account of somebody who opened their registration link.

    Raises:
        LinkLapsed: the link is no good (any more).
        Invalid: every defect of names and password at once.
    """
    link = get_link(session, clock, REGISTER, token)
    newcomer = Newcomer.of(username, display_name, password, again)
    found = newcomer.defects(session, link.email)
    if found:
        raise Invalid(found)
    use_link(session, clock, REGISTER, token)
    if accounts_of_email(session, link.email):
        raise Invalid.one("", "email_taken", "这个邮箱已有账号，请直接登录或重设密码。")
    account = newcomer.make_account(session, clock, email=link.email)
    account.email_verified_at = clock()
    return account


@dataclass(frozen=True)
class Newcomer:
    """What somebody says of themselves who has no account yet, whatever they are verified by."""

    username: str
    display_name: str
    password: str
    again: str

    @classmethod
    def of(cls, username: str, display_name: str, password: str, again: str) -> Newcomer:
        return cls(username.strip().lower(), display_name.strip(), password, again)

    def defects(self, session: Session, verified: str) -> list[Defect]:
        """Return every defect of names and password; `verified` is what nobody's password is."""
        found = name_defects(session, self.username, self.display_name)
        found += password_defects(self.password, self.username, verified, self.display_name)
        if self.password != self.again:
            found.append(Defect("again", "different", "两次输入的密码不一致。"))
        return found

    def make_account(
        self,
        session: Session,
        clock: Clock,
        *,
        role: str = APPLICANT,
        organisation: Organisation | None = None,
        email: str = "",
    ) -> Account:
        return create_account(
            session,
            clock,
            username=self.username,
            password=self.password,
            display_name=self.display_name,
            memberships=[(role, organisation)],
            applicant_kind="natural_person" if role == APPLICANT else "",
            email=email,
        )


def name_defects(session: Session, username: str, display_name: str) -> list[Defect]:
    found = []
    allowed = username.replace("-", "").replace("_", "").replace(".", "")
    if not (3 <= len(username) <= USERNAME_MAX and allowed.isalnum()):
        text = "用户名应为3至{n}个字母、数字、汉字或“-”“_”“.”。"
        found.append(Defect("username", "format", text, {"n": USERNAME_MAX}))
    elif find_account(session, username) is not None:
        text = "用户名“{value}”已被使用。"
        found.append(Defect("username", "taken", text, {"value": username}))
    if not 1 <= len(display_name) <= NAME_MAX or not display_name.isprintable():
        text = "显示名称应为1至{n}个字。"
        found.append(Defect("display_name", "length", text, {"n": NAME_MAX}))
    return found


def reset_account(session: Session, clock: Clock, token: str) -> Account:
    """Return whose password a link resets. Raises LinkLapsed."""
    account = session.get(Account, get_link(session, clock, RESET, token).account_id)
    assert account is not None
    return account


def reset_password(
    session: Session, clock: Clock, site: Site, token: str, *, new: str, again: str
) -> None:
    """Set the new password; every session ends, every other reset link is worthless.

    Raises:
        LinkLapsed: the link is no good (any more). Invalid: the password.
    """
    account = reset_account(session, clock, token)
    if new != again:
        raise Invalid.one("again", "different", "两次输入的新密码不一致。")
    set_password(session, account, new)
    use_link(session, clock, RESET, token)
    withdraw_links(session, clock, RESET, account.id)
    tell_password_changed(session, clock, site, account)


def tell_password_changed(session: Session, clock: Clock, site: Site, account: Account) -> None:
    if account.email_verified_at is not None:
        text = mail_texts.password_changed(site, account.username)
        _write(session, clock, "security", account.email, text, None, account.id)


def ask_for_address(
    session: Session, clock: Clock, site: Site, actor: Actor, *, email: str, password: str
) -> None:
    """Send a link to an address that the own account is to have. Raises Invalid."""
    account, address = own_account(session, actor), _address(email)
    if not is_password_of(account, password):
        raise Invalid.one("email_password", "wrong", "当前密码不正确。")
    if _is_mailbox_full(session, clock, address):
        raise Invalid.one("email", "too_often", "发往这个邮箱的邮件过多，请一小时后再试。")
    withdraw_links(session, clock, EMAIL, account.id)
    link, token = make_link(session, clock, EMAIL, address, account_id=account.id)
    text = mail_texts.new_address(site, account.username, token)
    _write(session, clock, "email", address, text, None, account.id, link)


def confirm_address(session: Session, clock: Clock, site: Site, actor: Actor, token: str) -> None:
    """Give the own account the address of the link.

    Raises:
        LinkLapsed: the link is no good, or is another account's.
        Invalid: the address has become another account's meanwhile.
    """
    account = own_account(session, actor)
    if get_link(session, clock, EMAIL, token).account_id != account.id:
        raise Invalid.one("", "foreign", "这个链接属于另一个账号，请用该账号登录后打开。")
    link = use_link(session, clock, EMAIL, token)
    if any(other.id != account.id for other in accounts_of_email(session, link.email)):
        raise Invalid.one("", "email_taken", "这个邮箱已属于另一个账号。")
    before = account.email if account.email_verified_at else ""
    account.email, account.email_verified_at = link.email, clock()
    if before and before != link.email:
        text = mail_texts.address_changed(site, account.username)
        _write(session, clock, "security", before, text, None, account.id)


def accounts_of_email(session: Session, email: str) -> Sequence[Account]:
    """Return the accounts whose verified address this is (one, but for what was before)."""
    query = select(Account).where(
        Account.email == email, Account.email_verified_at.is_not(None), Account.erased_at.is_(None)
    )
    return session.scalars(query.order_by(Account.id)).all()


def _address(email: str) -> str:
    address = clean_address(email)
    if address is None:
        raise Invalid.one("email", "format", "请填写一个邮箱地址，如 name@example.cn。")
    return address


def _count_caller(session: Session, clock: Clock, caller: str) -> None:
    key = "people:from:" + hashlib.sha256(caller.encode()).hexdigest()[:32]
    state = count_hit(session, clock(), key, limit=FROM_ONE_ADDRESS, window_seconds=HOUR_SECONDS)
    if not state.allowed:
        raise TooManyRequests(retry_after_seconds=state.reset_seconds)


def _is_mailbox_full(session: Session, clock: Clock, email: str) -> bool:
    """True once an address had its mails of this hour: nobody floods somebody else's mailbox."""
    key = "people:to:" + hashlib.sha256(email.encode()).hexdigest()[:32]
    state = count_hit(session, clock(), key, limit=TO_ONE_MAILBOX, window_seconds=HOUR_SECONDS)
    return not state.allowed


def _is_written(session: Session, wish: str) -> bool:
    query = select(func.count(OutgoingMessage.id)).where(OutgoingMessage.key == f"wish:{wish}")
    return bool(session.scalar(query))


def _write(
    session: Session,
    clock: Clock,
    kind: str,
    address: str,
    text: MailText,
    wish: str | None,
    account_id: int | None,
    link: MailedLink | None = None,
) -> None:
    write_mail(
        session,
        clock,
        kind=kind,
        address=address,
        subject=text.subject,
        body=text.body,
        account_id=account_id,
        key=f"wish:{wish}" if wish else None,
        expires_at=link.expires_at if link else None,
    )
