"""The daily mail, reminders, and word to the head before a deadline is missed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from portal.jobs.people import alert_deadlines, mail_digests
from portal.models import AuditEvent, Deadline, Notice
from portal.rules.calendar import TableCalendar
from portal.services.deadline_alerts import days_before
from portal.services.digest import previous_mail
from tests.factories import SetClock, content
from tests.mailbox import Mailbox
from tests.portal.people.conftest import PostOffice
from tests.portal.web.work.conftest import text_of


def _proposed(office: PostOffice) -> None:
    office.made(lambda catalogue, _people: catalogue.proposed(content(title="公交站点位置信息")))


def _mails(office: PostOffice, mailbox: Mailbox) -> list[str]:
    before = len(mailbox.mails)
    office.deliver()
    return [str(mail.get_content()) for mail in mailbox.mails[before:]]


def test_one_mail_a_day_says_what_waits_and_by_when(
    post_office: PostOffice, mailbox: Mailbox, clock: SetClock
) -> None:
    _proposed(post_office)
    post_office.set_address("agency_security_officer")
    for _ in range(2):
        mail_digests(post_office.platform, {})
    (text,) = _mails(post_office, mailbox)
    assert "待保密审查：公交站点位置信息（截至" in text
    assert "/account" in text
    assert "待办 1 件" in str(mailbox.mails[-1]["Subject"])
    clock.advance(days=1)
    mail_digests(post_office.platform, {})
    assert len(_mails(post_office, mailbox)) == 1


def test_no_mail_on_a_day_off_none_that_is_empty_and_none_that_is_unwanted(
    post_office: PostOffice, mailbox: Mailbox, clock: SetClock
) -> None:
    _proposed(post_office)
    post_office.set_address("agency_security_officer")
    post_office.set_address("agency_editor", number=7)  # nothing waits and nothing is unread
    clock.now = datetime(2026, 11, 28, 0, 5, tzinfo=UTC)  # a Saturday
    mail_digests(post_office.platform, {})
    assert _mails(post_office, mailbox) == []
    clock.now = datetime(2026, 11, 30, 0, 5, tzinfo=UTC)
    officer = post_office.browser("agency_security_officer")
    officer.submit("/account", "/digest", digest=None)
    mail_digests(post_office.platform, {})
    assert all("待保密审查" not in text for text in _mails(post_office, mailbox))
    officer.submit("/account", "/digest", digest="yes")
    mail_digests(post_office.platform, {})
    assert any("待保密审查" in text for text in _mails(post_office, mailbox))


def test_who_has_no_work_hears_of_unread_messages(
    post_office: PostOffice, mailbox: Mailbox
) -> None:
    post_office.set_address("bureau_reviewer", "JL-BUR")
    post_office.made(lambda catalogue, _people: catalogue.submitted())
    mail_digests(post_office.platform, {})
    (text,) = _mails(post_office, mailbox)
    assert "未读消息" in text
    assert "提交审核" in text


def test_the_unread_since_the_last_mail_are_told_over_a_weekend() -> None:
    calendar = TableCalendar({}, "none")
    monday = datetime(2026, 11, 30, tzinfo=UTC).date()
    assert previous_mail(calendar, monday).isoformat() == "2026-11-27T08:00:00+08:00"


def test_those_who_must_act_are_reminded_and_then_their_head(
    post_office: PostOffice, mailbox: Mailbox, clock: SetClock
) -> None:
    _proposed(post_office)
    officer = post_office.set_address("agency_security_officer")
    head = post_office.set_address("responsible_dept")
    due = post_office.read(
        lambda s: s.scalars(
            select(Deadline).where(Deadline.flow == "open_list_entry", Deadline.closed_at.is_(None))
        ).one()
    )
    told: dict[str, list[str]] = {}
    for _ in range(40):
        if clock().date() > due.due_on:
            break
        before = len(mailbox.mails)
        for _twice in range(2):
            alert_deadlines(post_office.platform, {})
        post_office.deliver()
        for mail in mailbox.mails[before:]:
            told.setdefault(str(mail["To"]), []).append(str(mail.get_content()))
        clock.advance(days=1)
    assert [text.count("还剩2个工作日") for text in told[officer]] == [1]
    assert len(told[head]) == 1
    assert "即将逾期" in told[head][0]
    assert "公交站点位置信息" in told[head][0]
    events = post_office.read(
        lambda s: list(
            s.scalars(select(AuditEvent.event).where(AuditEvent.event.in_(("remind", "tell_head"))))
        )
    )
    assert sorted(events) == ["remind", "tell_head"]
    auditor = post_office.browser("auditor", "JL-BUR")
    assert "临近期限，报告负责人" in text_of(auditor.get("/work/audit"))
    notices = post_office.read(lambda s: list(s.scalars(select(Notice.text))))
    assert any("即将逾期" in text for text in notices)


def test_what_was_done_in_time_troubles_nobody(
    post_office: PostOffice, mailbox: Mailbox, clock: SetClock
) -> None:
    post_office.made(lambda catalogue, _people: catalogue.published())
    post_office.set_address("bureau_admin", "JL-BUR")
    for _ in range(12):
        alert_deadlines(post_office.platform, {})
        clock.advance(days=1)
    events = post_office.read(
        lambda s: list(s.scalars(select(AuditEvent.event).where(AuditEvent.event == "tell_head")))
    )
    assert events == []


@pytest.mark.parametrize(
    ("working_days", "expected"), [(0, (2, 1)), (10, (2, 1)), (3, (1, 0)), (1, (0, 0))]
)
def test_short_duties_are_reminded_of_later(working_days: int, expected: Any) -> None:
    assert days_before(working_days) == expected
