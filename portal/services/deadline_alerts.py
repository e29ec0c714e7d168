"""Before a deadline is missed: a reminder to those who must act, then word to their head.

Counted in working days: two before the last day, and one before it (shorter duties: later). Each
alert is an event of the audit trail with a key, so that it happens once for each due date.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import SYSTEM
from portal.clock import Clock, local_date
from portal.models.account import Account, Membership
from portal.models.audit import AuditEvent
from portal.models.duty import Deadline
from portal.models.organisation import Organisation
from portal.permissions import MEMBER_ADMINISTRATORS
from portal.rules.mail_address import head_line
from portal.services import audit
from portal.services.deadlines import working_days_left
from portal.services.flow import FLOWS
from portal.services.mail_texts import Site, alerts
from portal.services.notices import accounts_acting_as, tell
from portal.services.outgoing import write_mail

REMIND, TO_HEAD = "remind", "tell_head"
LOOKAHEAD_DAYS = 20
BUREAU = "bureau"


@dataclass(frozen=True)
class Alert:
    """One line for those who are told: reminder or word to the head."""

    event: str
    accounts: frozenset[int]
    text: str


def days_before(working_days: int) -> tuple[int, int]:
    """Return at how many working days left to remind, and to tell the head."""
    if working_days == 0 or working_days >= 4:  # 0: a duty with a fixed day
        return 2, 1
    return (1, 0) if working_days >= 2 else (0, 0)


def list_due(session: Session, clock: Clock) -> list[int]:
    """Return the open deadlines that come near; each is looked at in a transaction of its own."""
    today = local_date(clock())
    query = select(Deadline.id).where(
        Deadline.closed_at.is_(None),
        Deadline.due_on >= today,
        Deadline.due_on <= today + timedelta(days=LOOKAHEAD_DAYS),
        Deadline.actor_kind != "system",
    )
    return list(session.scalars(query.order_by(Deadline.due_on, Deadline.id)))


def alert(session: Session, clock: Clock, deadline_id: int) -> list[Alert]:
    """Tell of one deadline what is to be told by now; return it, empty if nothing is new."""
    deadline = session.get(Deadline, deadline_id)
    if deadline is None or deadline.closed_at is not None:
        return []
    left = working_days_left(session, deadline.due_on, clock())
    remind_at, head_at = days_before(deadline.working_days)
    found = []
    for event, at in ((REMIND, remind_at), (TO_HEAD, head_at)):
        if left <= at and not _is_told(session, deadline, event):
            made = _tell(session, clock, deadline, event, left)
            found += [made] if made is not None else []
    return found


def _is_told(session: Session, deadline: Deadline, event: str) -> bool:
    query = select(AuditEvent.id).where(
        AuditEvent.flow == deadline.flow,
        AuditEvent.subject_id == deadline.subject_id,
        AuditEvent.event_key == _key(deadline, event),
    )
    return session.scalar(query) is not None


def _key(deadline: Deadline, event: str) -> str:
    return f"{event}:{deadline.id}:{deadline.due_on}"


def _tell(
    session: Session, clock: Clock, deadline: Deadline, event: str, left: int
) -> Alert | None:
    binding = FLOWS.find_binding(deadline.flow)
    subject = session.get(binding.model, deadline.subject_id) if binding else None
    if binding is None or subject is None:
        return None
    accounts = _owners(session, deadline) if event == REMIND else heads(session, deadline)
    if not accounts:
        return None
    steps = "、".join(binding.event_labels.get(e, e) for e in deadline.events.split()[:3])
    when = "今天到期" if left <= 0 else f"还剩{left}个工作日"
    text = f"{binding.name}“{head_line(binding.title(subject), 60)}”{when}（{deadline.due_on}），待办：{steps}"
    if event == TO_HEAD:
        text = f"{_place(session, deadline)}即将逾期：{text}"
    made = audit.record(
        session,
        clock,
        SYSTEM,
        flow=deadline.flow,
        event=event,
        subject_id=deadline.subject_id,
        entry_id=deadline.entry_id,
        due_on=deadline.due_on,
        event_key=_key(deadline, event),
    )
    tell(session, clock, accounts, made, text, binding.link(subject))
    return Alert(event, accounts, text)


def _owners(session: Session, deadline: Deadline) -> frozenset[int]:
    if deadline.actor_kind == BUREAU:
        return accounts_acting_as(session, BUREAU, None)
    if deadline.organisation_id is None:
        return frozenset()
    place = frozenset({deadline.organisation_id})
    return accounts_acting_as(session, deadline.actor_kind, place)


def heads(session: Session, deadline: Deadline) -> frozenset[int]:
    """Return who answers for the office: the Bureau's administrators, or the organisation's own."""
    query = (
        select(Membership.account_id)
        .join(Account, Account.id == Membership.account_id)
        .where(Account.disabled.is_(False))
    )
    if deadline.actor_kind == BUREAU:
        return frozenset(session.scalars(query.where(Membership.role == "bureau_admin")))
    organisation = session.get(Organisation, deadline.organisation_id or 0)
    if organisation is None:
        return frozenset()
    places = [i for i in (organisation.id, organisation.parent_id) if i is not None]
    return frozenset(
        session.scalars(
            query.where(
                Membership.role.in_(MEMBER_ADMINISTRATORS), Membership.organisation_id.in_(places)
            )
        )
    )


def _place(session: Session, deadline: Deadline) -> str:
    organisation = session.get(Organisation, deadline.organisation_id or 0)
    return organisation.name if organisation else ""


def write_alert_mails(session: Session, clock: Clock, site: Site, found: Iterable[Alert]) -> int:
    """Write one mail to each who was told and has a verified address; return how many."""
    lines: dict[int, list[str]] = {}
    for one in found:
        for account_id in one.accounts:
            lines.setdefault(account_id, []).append(one.text)
    written = 0
    for account_id, texts in sorted(lines.items()):
        account = session.get(Account, account_id)
        if account is None or account.email_verified_at is None or account.disabled:
            continue
        text = alerts(site, texts)
        write_mail(
            session,
            clock,
            kind="alert",
            address=account.email,
            subject=text.subject,
            body=text.body,
            account_id=account_id,
        )
        written += 1
    return written
