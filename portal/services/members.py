"""Members of an organisation: invited by mail, taken in, and who may see to it.

A link is good once and for a week. It makes an account, or gives the role to one that its opener
holds. Who audits holds no other role: no role can change data and hide it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.codes import code_list
from portal.errors import Defect, Invalid, NotFound
from portal.models.account import Account, Membership
from portal.models.message import MailedLink
from portal.models.organisation import Organisation
from portal.permissions import Permission, is_allowed, require
from portal.rules.mail_address import clean_address
from portal.services import audit, mail_texts
from portal.services.account_management import FLOW, own_account
from portal.services.accounts import AUDITOR, check_role, check_separation
from portal.services.mail_texts import Site
from portal.services.mailed_links import INVITE, LinkLapsed, get_link, make_link, use_link
from portal.services.outgoing import write_mail
from portal.services.registration import Newcomer, accounts_of_email

BY_THE_BUREAU = ("bureau_admin", AUDITOR)
PENDING_MAX = 100


def managed_organisations(session: Session, actor: Actor) -> Sequence[Organisation]:
    """Return the organisations whose members the actor sees to."""
    query = select(Organisation).order_by(Organisation.code)
    return [o for o in session.scalars(query) if is_allowed(actor, Permission.MEMBER_MANAGE, o)]


def roles_to_give(actor: Actor, organisation: Organisation) -> list[tuple[str, str]]:
    """Return (code, name) of the roles that the actor may give in the organisation."""
    found = []
    for role in code_list("roles"):
        if role["organisation_kinds"] == "none" or not _fits(role.code, organisation):
            continue
        if role.code in BY_THE_BUREAU and not is_allowed(actor, Permission.ACCOUNT_MANAGE):
            continue
        found.append((role.code, role.name))
    return found


def _fits(role: str, organisation: Organisation) -> bool:
    try:
        check_role(role, organisation)
    except Invalid:
        return False
    return True


def list_members(session: Session, organisation: Organisation) -> Sequence[Account]:
    query = (
        select(Account)
        .join(Membership, Membership.account_id == Account.id)
        .where(Membership.organisation_id == organisation.id, Account.erased_at.is_(None))
        .distinct()
    )
    return session.scalars(query.order_by(Account.id)).all()


def list_invitations(
    session: Session, clock: Clock, organisation: Organisation
) -> Sequence[MailedLink]:
    """Return the invitations that nobody has opened, the newest first."""
    query = select(MailedLink).where(
        MailedLink.purpose == INVITE,
        MailedLink.organisation_id == organisation.id,
        MailedLink.used_at.is_(None),
        MailedLink.expires_at > clock(),
    )
    return session.scalars(query.order_by(MailedLink.id.desc())).all()


def invite(
    session: Session,
    clock: Clock,
    site: Site,
    actor: Actor,
    organisation: Organisation,
    *,
    email: str,
    role: str,
) -> None:
    """Mail an invitation into the organisation.

    Raises:
        Forbidden: not an administrator of it. Invalid: address, role, or too many that wait.
    """
    require(actor, Permission.MEMBER_MANAGE, organisation)
    address = clean_address(email)
    defects = []
    if address is None:
        defects.append(Defect("email", "format", "请填写一个邮箱地址，如 name@example.cn。"))
    if role not in dict(roles_to_give(actor, organisation)):
        defects.append(Defect("role", "not_given", "请选择您可以授予的角色。"))
    if defects or address is None:
        raise Invalid(defects)
    waiting = list_invitations(session, clock, organisation)
    if len(waiting) >= PENDING_MAX:
        raise Invalid.one("", "too_many", "最多{n}个未接受的邀请，请先撤回不用的。", n=PENDING_MAX)
    for link in waiting:
        if (link.email, link.role) == (address, role):
            link.used_at = clock()  # the newer one replaces it
    link, token = make_link(
        session,
        clock,
        INVITE,
        address,
        organisation_id=organisation.id,
        role=role,
        created_by=actor.account_id,
    )
    text = mail_texts.invitation(site, organisation.name, role_name(role), actor.name, token)
    write_mail(
        session,
        clock,
        kind="invite",
        address=address,
        subject=text.subject,
        body=text.body,
        expires_at=link.expires_at,
    )
    _record(session, clock, actor, "invite", link.id, organisation, role)


def withdraw_invitation(session: Session, clock: Clock, actor: Actor, link_id: int) -> None:
    """Make an invitation worthless; twice changes nothing."""
    link = session.get(MailedLink, link_id)
    if link is None or link.purpose != INVITE:
        raise NotFound("没有这个邀请。")
    organisation = _organisation(session, link)
    require(actor, Permission.MEMBER_MANAGE, organisation)
    if link.used_at is None:
        link.used_at = clock()
        _record(session, clock, actor, "withdraw_invitation", link.id, organisation, link.role)


def opened(session: Session, clock: Clock, token: str) -> tuple[MailedLink, Organisation]:
    """Return what a token invites into. Raises LinkLapsed."""
    link = get_link(session, clock, INVITE, token)
    return link, _organisation(session, link)


def accept(session: Session, clock: Clock, actor: Actor, token: str) -> None:
    """Give the role to the account that the opener holds.

    Raises:
        LinkLapsed: the link is no good (any more).
        Invalid: the account has another address than the one invited, or a role that excludes it.
    """
    link, organisation = opened(session, clock, token)
    account = own_account(session, actor)
    has_other = account.email_verified_at is not None and account.email != link.email
    taken = any(other.id != account.id for other in accounts_of_email(session, link.email))
    if has_other or taken:
        raise Invalid.one(
            "", "other_address", "邀请发给了另一个邮箱，请用该邮箱的账号登录，或新建账号。"
        )
    use_link(session, clock, INVITE, token)
    give_role(session, account, link.role, organisation)
    account.email, account.email_verified_at = link.email, account.email_verified_at or clock()
    _record(session, clock, actor, "join", account.id, organisation, link.role)


def accept_as_new(
    session: Session,
    clock: Clock,
    token: str,
    *,
    username: str,
    display_name: str,
    password: str,
    again: str,
) -> Account:
    """Make the account of somebody who was invited. Raises LinkLapsed; Invalid: all defects."""
    link, organisation = opened(session, clock, token)
    newcomer = Newcomer.of(username, display_name, password, again)
    found = newcomer.defects(session, link.email)
    if accounts_of_email(session, link.email):
        found.append(Defect("", "email_taken", "这个邮箱已有账号，请登录后接受邀请。"))
    if found:
        raise Invalid(found)
    use_link(session, clock, INVITE, token)
    account = newcomer.make_account(
        session, clock, role=link.role, organisation=organisation, email=link.email
    )
    account.email_verified_at = clock()
    session.flush()
    itself = Actor(account.id, account.display_name)
    _record(session, clock, itself, "join", account.id, organisation, link.role)
    return account


def give_role(session: Session, account: Account, role: str, organisation: Organisation) -> None:
    """Add a role, once. Raises Invalid: it does not fit the organisation, or excludes another."""
    check_role(role, organisation)
    held = {(m.role, m.organisation_id) for m in account.memberships}
    if (role, organisation.id) in held:
        return
    check_separation([role, *(code for code, place in held if place is not None)])
    account.memberships.append(Membership(role=role, organisation=organisation))
    session.flush()


def role_name(code: str) -> str:
    return code_list("roles").label(code, "zh")


def get_member(
    session: Session, actor: Actor, organisation: Organisation, account_id: int
) -> Account:
    """Return a member of an organisation that the actor sees to."""
    require(actor, Permission.MEMBER_MANAGE, organisation)
    account = session.get(Account, account_id)
    if account is None or all(m.organisation_id != organisation.id for m in account.memberships):
        raise NotFound("本单位没有这个人员。")
    return account


def _organisation(session: Session, link: MailedLink) -> Organisation:
    organisation = session.get(Organisation, link.organisation_id)
    if organisation is None:
        raise LinkLapsed()
    return organisation


def _record(
    session: Session,
    clock: Clock,
    actor: Actor,
    event: str,
    subject_id: int,
    organisation: Organisation,
    role: str,
) -> None:
    session.flush()
    audit.record(
        session,
        clock,
        actor,
        flow=FLOW,
        event=event,
        subject_id=subject_id,
        details={"organisation": organisation.code, "role": role},
    )
