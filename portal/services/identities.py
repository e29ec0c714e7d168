"""Accounts of people whom the unified identity names, and what its verification makes of them.

An identity belongs to one account: the one that linked it, or one made for it. It is never joined to
an account by a name or a mail address, which anybody may claim.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import GuardRefused, Invalid, PortalError
from portal.models.account import Account
from portal.models.sign_in import ExternalIdentity
from portal.services import audit
from portal.services.account_management import FLOW, NAME_MAX
from portal.services.accounts import create_account
from portal.services.guards import refuse

KINDS = ("natural_person", "legal_person")


class IdentityRefused(PortalError):
    """What came back is not an answer to our question, or the provider refused."""

    code = "identity_refused"
    default_message = "统一身份认证没有完成，请重新登录。"


@dataclass(frozen=True)
class Identity:
    """Who the provider says it is. `level` is its own word for how far it verified them."""

    issuer: str
    subject: str
    name: str
    level: str


def read_levels(levels: Iterable[str]) -> dict[str, str]:
    """Read the setting OIDC_LEVELS. Raises ValueError: not LEVEL=KIND with a kind we know."""
    found = {}
    for one in levels:
        level, _, kind = one.partition("=")
        if not level or kind not in KINDS:
            raise ValueError(f"expected LEVEL=natural_person or LEVEL=legal_person: {one}")
        found[level] = kind
    return found


def account_of(
    session: Session,
    clock: Clock,
    identity: Identity,
    levels: Mapping[str, str],
    linking: int | None = None,
) -> Account:
    """Return the account of an identity; link it to the account `linking`, or make one.

    Raises:
        Invalid: it belongs to another account, or the account is closed.
    """
    known = session.scalars(
        select(ExternalIdentity).where(
            ExternalIdentity.issuer == identity.issuer,
            ExternalIdentity.subject == identity.subject,
        )
    ).first()
    if known is not None and linking is not None and known.account_id != linking:
        raise Invalid.one("", "other_account", "这个身份已关联另一个账号，请用该账号登录。")
    if known is None:
        account = session.get(Account, linking) if linking is not None else None
        account = account or _new_account(session, clock, identity)
        known = ExternalIdentity(
            account_id=account.id,
            issuer=identity.issuer,
            subject=identity.subject,
            created_at=clock(),
        )
        session.add(known)
    found = session.get(Account, known.account_id)
    if found is None or found.disabled:
        raise Invalid.one("", "closed", "这个账号已停用，请联系平台管理员。")
    known.name, known.level = identity.name, identity.level
    known.kind, known.last_used_at = levels.get(identity.level, ""), clock()
    _verify(session, clock, found, identity, known.kind)
    return found


def _new_account(session: Session, clock: Clock, identity: Identity) -> Account:
    return create_account(
        session,
        clock,
        username=f"id-{secrets.token_hex(6)}",
        password=secrets.token_urlsafe(32),
        display_name=identity.name[:NAME_MAX] or "统一身份用户",
        memberships=[("applicant", None)],
    )


def _verify(
    session: Session, clock: Clock, account: Account, identity: Identity, kind: str
) -> None:
    """Let the account be what the issuer verified; what it verified once and no more, ends."""
    if not kind or not identity.name:
        if account.verified_by == identity.issuer:
            account.identity_verified, account.verified_by = False, ""
            _record(session, clock, account, identity, "unverify")
        return
    is_new = (account.verified_by, account.applicant_kind, account.applicant_name) != (
        identity.issuer,
        kind,
        identity.name,
    )
    account.identity_verified, account.verified_by = True, identity.issuer
    account.applicant_kind, account.applicant_name = kind, identity.name
    if is_new:
        _record(session, clock, account, identity, "verify")


def _record(
    session: Session, clock: Clock, account: Account, identity: Identity, event: str
) -> None:
    session.flush()
    audit.record(
        session,
        clock,
        Actor(account.id, account.display_name),
        flow=FLOW,
        event=event,
        subject_id=account.id,
        details={"issuer": identity.issuer, "level": identity.level},
    )


def list_identities(session: Session, account_id: int) -> list[ExternalIdentity]:
    query = select(ExternalIdentity).where(ExternalIdentity.account_id == account_id)
    return list(session.scalars(query.order_by(ExternalIdentity.id)))


def check_verified_by(session: Session, actor: Actor, issuer: str) -> None:
    """Raise GuardRefused unless the actor's account is verified by the issuer, now."""
    account = session.get(Account, actor.account_id) if actor.account_id is not None else None
    if account is None or not account.identity_verified or account.verified_by != issuer:
        raise _not_verified()


def _not_verified() -> GuardRefused:
    return refuse("", "not_verified", "请先在“我的账号”里关联统一身份认证，完成实名后再申请。")
