"""Mail: written with what needs it, sent once by a real server, tried again, never lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from portal.jobs.messages import send_left_over
from portal.jobs.worker import Worker
from portal.models import Job, OutgoingMessage
from portal.net.smtp import MailServer
from portal.platform import Platform
from portal.services.outgoing import Postman, queue_left_over, write_mail, write_text_message
from portal.settings import SettingsError, read_settings
from tests.factories import SetClock
from tests.mailbox import Mailbox


@pytest.fixture
def mailing(
    make_platform: Callable[..., Platform], mailbox: Mailbox, database_kind: str
) -> Platform:
    return make_platform(database_kind, smtp_url=mailbox.url, mail_from="noreply@data.example.cn")


def _write(platform: Platform, **changes: object) -> None:
    given = {"kind": "test", "address": "Li@Example.cn", "subject": "您好", "body": "正文\n第二行"}
    with platform.database.writing() as session:
        write_mail(session, platform.clock, **{**given, **changes})  # type: ignore[arg-type]


def _states(platform: Platform) -> list[str]:
    with platform.database.reading() as session:
        return list(session.scalars(select(OutgoingMessage.stage).order_by(OutgoingMessage.id)))


def test_a_mail_goes_out_once_in_chinese_as_plain_text(mailing: Platform, mailbox: Mailbox) -> None:
    _write(mailing)
    Worker(mailing).run_until_idle()
    Worker(mailing).run_until_idle()
    (mail,) = mailbox.mails
    assert mailbox.recipients == [["li@example.cn"]]
    assert mail["Subject"] == "您好"
    assert mail.get_content_type() == "text/plain"
    assert mailbox.text().split() == ["正文", "第二行"]
    assert "吉林省公共数据开放平台" in str(mail["From"])
    assert str(mail["From"]).endswith("<noreply@data.example.cn>")
    assert mail["Auto-Submitted"] == "auto-generated"
    with mailing.database.reading() as session:
        assert session.scalars(select(OutgoingMessage.body)).one() == ""  # links are not kept


def test_what_was_rolled_back_is_not_sent(mailing: Platform, mailbox: Mailbox) -> None:
    with mailing.database.writing_session() as session, session.begin():
        write_mail(session, mailing.clock, kind="x", address="a@example.cn", subject="s", body="b")
        session.rollback()
    Worker(mailing).run_until_idle()
    assert mailbox.mails == []


def test_a_busy_server_is_asked_again_and_the_mail_arrives_once(
    mailing: Platform, mailbox: Mailbox, clock: SetClock
) -> None:
    mailbox.answers = ["451 later", "421 later still"]
    _write(mailing)
    for _ in range(4):
        Worker(mailing).run_until_idle()
        clock.advance(minutes=5)
    assert len(mailbox.mails) == 1
    assert _states(mailing) == ["sent"]


def test_a_refusal_for_good_is_kept_with_its_reason_and_not_tried_again(
    mailing: Platform, mailbox: Mailbox, clock: SetClock
) -> None:
    mailbox.answers = ["554 no such mailbox"]
    _write(mailing)
    for _ in range(3):
        Worker(mailing).run_until_idle()
        clock.advance(minutes=5)
    assert mailbox.mails == []
    with mailing.database.reading() as session:
        (message,) = session.scalars(select(OutgoingMessage)).all()
    assert (message.stage, message.error) == ("failed", "554 no such mailbox")


def test_a_worker_that_dies_after_the_sending_sends_under_the_same_name(
    mailing: Platform, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, clock: SetClock
) -> None:
    """The one case that cannot be avoided: the server took it, and nobody could note it."""
    _write(mailing)

    def dies(*_given: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(Postman, "_finish", dies)
        Worker(mailing).run_until_idle()
    clock.advance(minutes=5)
    Worker(mailing).run_until_idle()
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 1
    assert _states(mailing) == ["sent"]


def test_mail_waits_until_a_server_is_set_up(
    make_platform: Callable[..., Platform], mailbox: Mailbox, clock: SetClock
) -> None:
    quiet = make_platform("sqlite", name="quiet")
    _write(quiet)
    Worker(quiet).run_until_idle()
    assert _states(quiet) == ["waiting"]
    send_left_over(quiet, {})  # no server: nothing is queued
    clock.advance(hours=1)
    quiet.settings = quiet.settings.model_copy(update={"smtp_url": mailbox.url})
    send_left_over(quiet, {})
    Worker(quiet).run_until_idle()
    assert len(mailbox.mails) == 1
    with quiet.database.writing() as session:
        assert queue_left_over(session, quiet.clock) == 0


def test_a_message_with_a_key_is_written_once(mailing: Platform, mailbox: Mailbox) -> None:
    _write(mailing, key="digest:2026-11-24:1")
    _write(mailing, key="digest:2026-11-24:1")
    with mailing.database.reading() as session:
        assert session.scalar(select(func.count(Job.id))) == 1
    Worker(mailing).run_until_idle()
    _write(mailing, key="digest:2026-11-24:1")
    Worker(mailing).run_until_idle()
    assert len(mailbox.mails) == 1


def test_a_mail_whose_link_has_lapsed_is_not_sent(
    mailing: Platform, mailbox: Mailbox, clock: SetClock
) -> None:
    _write(mailing, expires_at=clock())
    Worker(mailing).run_until_idle()
    assert (mailbox.mails, _states(mailing)) == ([], ["expired"])


@pytest.mark.parametrize(
    "subject",
    ["标题\r\nBcc: evil@example.cn", "标题\nBcc: evil@example.cn", "标题\r\n\r\n<b>正文</b>"],
)
def test_no_text_becomes_a_line_of_the_head(
    mailing: Platform, mailbox: Mailbox, subject: str
) -> None:
    _write(mailing, subject=subject)
    Worker(mailing).run_until_idle()
    (mail,) = mailbox.mails
    assert mail["Bcc"] is None
    assert mailbox.recipients == [["li@example.cn"]]
    assert mailbox.text().startswith("正文")


@pytest.mark.parametrize(
    "address",
    [
        "a@example.cn\r\nBcc: b@example.cn",
        "a@example.cn, b@example.cn",
        "a@example.cn;b@example.cn",
        "Li <a@example.cn>",
        '"a b"@example.cn',
        "a@localhost",
        "a@example.cn>",
        "a..b@example.cn",
        "",
        "甲@例子.中国",
        "x" * 65 + "@example.cn",
    ],
)
def test_what_is_no_plain_address_is_refused(mailing: Platform, address: str) -> None:
    with pytest.raises(ValueError, match="not a mail address"):
        _write(mailing, address=address)


def test_a_text_message_goes_by_the_gateway(
    mailing: Platform, mailbox: Mailbox, clock: SetClock
) -> None:
    sent: list[tuple[str, str]] = []

    class Gateway:
        def send(self, mobile: str, text: str) -> None:
            sent.append((mobile, text))

    with mailing.database.writing() as session:
        write_text_message(
            session, mailing.clock, kind="code", mobile="+86 138-0000-1111", text="验证码"
        )
    Worker(mailing).run_until_idle()
    assert _states(mailing) == ["waiting"]  # no gateway is set up
    with mailing.database.reading() as session:
        message_id = session.scalars(select(OutgoingMessage.id)).one()
    settings = mailing.settings
    for _ in range(2):
        Postman(
            mailing.database,
            clock,
            smtp_url="",
            sender=settings.mail_from,
            sender_name="",
            host="x",
            gateway=Gateway,
        ).send(message_id)
    assert sent == [("13800001111", "验证码")]


@pytest.mark.parametrize("url", ["http://host", "smtp://", "smtp://user:secret@host"])
def test_a_mail_server_that_cannot_be_is_refused_at_the_start(url: str, tmp_path: object) -> None:
    with pytest.raises(SettingsError, match="XIANGYUN_SMTP_URL"):
        read_settings({"XIANGYUN_SMTP_URL": url, "XIANGYUN_HOME": str(tmp_path)})


def test_ports_and_passwords_of_a_mail_server() -> None:
    server = MailServer.of("smtps://portal%40example.cn:a%2Fb@mail.example.cn")
    assert (server.port, server.user, server.password) == (465, "portal@example.cn", "a/b")
    assert MailServer.of("smtp+starttls://mail.example.cn").port == 587
