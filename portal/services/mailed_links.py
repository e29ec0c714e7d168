"""Links in mails: made of a random token, kept as its hash, good once and for a while."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from portal.clock import Clock
from portal.errors import Gone
from portal.models.message import MailedLink

REGISTER, RESET, EMAIL, INVITE, PHONE = "register", "reset", "email", "invite", "phone"
HOURS = {REGISTER: 24, RESET: 1, EMAIL: 24, INVITE: 7 * 24, PHONE: 1 / 6}
KEEP_DAYS = 30


class LinkLapsed(Gone):
    """The link was used, has expired, was withdrawn, or never was: one answer for all of them."""

    code = "link_lapsed"
    default_message = "链接已失效：可能已使用过或已过期，请重新申请。"


def make_link(
    session: Session,
    clock: Clock,
    purpose: str,
    email: str,
    *,
    account_id: int | None = None,
    organisation_id: int | None = None,
    role: str = "",
    created_by: int | None = None,
    token: str = "",
) -> tuple[MailedLink, str]:
    """Write a link; return it with its token, which stands in the mail and nowhere else.

    Args:
        email: where it goes; for a code by text message, the mobile number.
        token: the one to use; without it a random one is made.
    """
    token = token or secrets.token_urlsafe(32)
    now = clock()
    link = MailedLink(
        purpose=purpose,
        token_hash=_hash(token),
        email=email,
        account_id=account_id,
        organisation_id=organisation_id,
        role=role,
        created_by=created_by,
        created_at=now,
        expires_at=now + timedelta(hours=HOURS[purpose]),
    )
    session.add(link)
    session.flush()
    return link, token


def get_link(session: Session, clock: Clock, purpose: str, token: str) -> MailedLink:
    """Return the link that a token opens. Raises LinkLapsed."""
    link = session.scalars(
        select(MailedLink).where(
            MailedLink.token_hash == _hash(token),
            MailedLink.purpose == purpose,
            MailedLink.used_at.is_(None),
            MailedLink.expires_at > clock(),
        )
    ).first()
    if link is None:
        raise LinkLapsed()
    return link


def use_link(session: Session, clock: Clock, purpose: str, token: str) -> MailedLink:
    """Return the link and use it up: of two at once, one has it. Raises LinkLapsed."""
    link = get_link(session, clock, purpose, token)
    used = session.execute(
        update(MailedLink)
        .where(MailedLink.id == link.id, MailedLink.used_at.is_(None))
        .values(used_at=clock())
        .execution_options(synchronize_session=False)
    )
    if used.rowcount != 1:  # type: ignore[attr-defined]
        raise LinkLapsed()
    session.refresh(link)
    return link


def withdraw_links(session: Session, clock: Clock, purpose: str, account_id: int) -> None:
    """Make every other link of the account for this purpose worthless."""
    session.execute(
        update(MailedLink)
        .where(
            MailedLink.account_id == account_id,
            MailedLink.purpose == purpose,
            MailedLink.used_at.is_(None),
        )
        .values(used_at=clock())
    )


def forget_links(session: Session, now: datetime) -> None:
    session.execute(
        delete(MailedLink).where(MailedLink.expires_at < now - timedelta(days=KEEP_DAYS))
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
