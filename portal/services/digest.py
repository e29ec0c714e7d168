"""The daily mail: what waits for somebody and by when, and messages they have not read. One a day.

On working days only, to verified addresses, to nobody who does not want it, and never empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import SHANGHAI, Clock, local_date
from portal.models.account import Account
from portal.models.duty import Notice
from portal.rules.calendar import WorkCalendar
from portal.rules.mail_address import head_line
from portal.services.deadlines import work_calendar
from portal.services.login_sessions import acting
from portal.services.mail_texts import MailText, Site, digest
from portal.services.outgoing import write_mail
from portal.services.work_list import OutsideSource, WorkList, WorkRow

LISTED = 30
LONGEST_BREAK_DAYS = 15
MAIL_HOUR = time(8)


def is_mail_day(session: Session, clock: Clock) -> bool:
    return work_calendar(session).is_working_day(local_date(clock()))


def readers(session: Session) -> Sequence[int]:
    """Return the accounts that want the daily mail and have an address to get it at."""
    query = select(Account.id).where(
        Account.digest,
        Account.email_verified_at.is_not(None),
        Account.disabled.is_(False),
        Account.erased_at.is_(None),
    )
    return session.scalars(query.order_by(Account.id)).all()


def write_digest(
    session: Session,
    clock: Clock,
    site: Site,
    account_id: int,
    outside: Iterable[OutsideSource] = (),
) -> bool:
    """Write the day's mail of one account; False if there is nothing to say. Twice writes one."""
    account = session.get(Account, account_id)
    if account is None:
        return False
    today = local_date(clock())
    who = acting(session, clock, account)
    rows = WorkList(session, clock, who, outside).rows() if who.organisation_ids else []
    unread = _unread(session, clock, account_id, today)
    if not rows and not unread:
        return False
    text = _text(site, today, rows, unread)
    write_mail(
        session,
        clock,
        kind="digest",
        address=account.email,
        subject=text.subject,
        body=text.body,
        account_id=account_id,
        key=f"digest:{today}:{account_id}",
        expires_at=clock() + timedelta(hours=16),  # yesterday's news is not sent
    )
    return True


def _unread(session: Session, clock: Clock, account_id: int, today: date) -> Sequence[Notice]:
    since = previous_mail(work_calendar(session), today)
    query = select(Notice).where(
        Notice.account_id == account_id, Notice.read_at.is_(None), Notice.created_at >= since
    )
    return session.scalars(query.order_by(Notice.id.desc()).limit(LISTED)).all()


def previous_mail(calendar: WorkCalendar, today: date) -> datetime:
    """Return when the daily mail before today's went out."""
    day = today - timedelta(days=1)
    while not calendar.is_working_day(day) and today - day < timedelta(days=LONGEST_BREAK_DAYS):
        day -= timedelta(days=1)
    return datetime.combine(day, MAIL_HOUR, SHANGHAI)


def _text(site: Site, today: date, rows: Sequence[WorkRow], unread: Sequence[Notice]) -> MailText:
    groups: dict[str, list[str]] = {
        "已逾期": [],
        "今天到期": [],
        "其他有期限的": [],
        "没有期限的": [],
    }
    for row in rows:
        groups[_group(row)].append(_line(row))
    parts = [
        f"{name}（{len(lines)} 件）\n" + "\n".join(lines[:LISTED]) + _more(len(lines))
        for name, lines in groups.items()
        if lines
    ]
    if unread:
        lines = [f"- {head_line(notice.text, 120)}" for notice in unread]
        parts.append("未读消息\n" + "\n".join(lines))
    urgent = len(groups["已逾期"]) + len(groups["今天到期"])
    return digest(site, today, len(rows), urgent, len(unread), parts)


def _group(row: WorkRow) -> str:
    if row.clock is None:
        return "没有期限的"
    return "已逾期" if row.clock.late else "今天到期" if row.clock.today else "其他有期限的"


def _line(row: WorkRow) -> str:
    due = ""
    if row.clock is not None:
        mark = "，暂定" if row.clock.provisional else ""
        due = f"（截至{row.clock.due_on:%m月%d日}{mark}）"
    return f"- {row.kind_label}：{head_line(row.title, 80)}{due}"


def _more(count: int) -> str:
    return f"\n- 另有 {count - LISTED} 件" if count > LISTED else ""
