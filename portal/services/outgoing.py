"""Messages that leave the portal: written with what needs them, sent by the worker, each once.

A message is a row and a job in the caller's transaction, so it is neither sent for something that
was rolled back nor lost when a process dies. Should a worker die between the server's "250" and the
commit, the mail goes out again under the same Message-ID, by which mailboxes know it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from importlib.metadata import entry_points
from typing import Protocol

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal.clock import Clock
from portal.db import Database
from portal.jobs.queue import enqueue
from portal.models.job import Job
from portal.models.message import OutgoingMessage
from portal.net.smtp import MailRefused, MailServer
from portal.rules.mail_address import clean_address, clean_mobile, head_line

SEND = "send_message"
EMAIL, SMS = "email", "sms"
ATTEMPTS = 600  # with pauses of five minutes: two days
LEFT_MINUTES = 10
KEEP_DAYS = 90
GATEWAYS = "xiangyun.sms"


class TextGateway(Protocol):
    """Sends a text message to a mobile number of 11 digits; found by the entry point group above.

    Raises portal.net.smtp.MailRefused for a number that never can be reached, anything else for
    what may be tried again.
    """

    def send(self, mobile: str, text: str) -> None: ...


def find_gateway(name: str) -> TextGateway | None:
    """Return the gateway that the setting SMS_GATEWAY names, None when it is empty.

    Raises:
        LookupError: no such entry point is installed.
    """
    if not name:
        return None
    for point in entry_points(group=GATEWAYS, name=name):
        made: TextGateway = point.load()()
        return made
    raise LookupError(f"no entry point {name} in the group {GATEWAYS}")


def write_mail(
    session: Session,
    clock: Clock,
    *,
    kind: str,
    address: str,
    subject: str,
    body: str,
    account_id: int | None = None,
    key: str | None = None,
    expires_at: datetime | None = None,
) -> None:
    """Write a mail of plain text in the caller's transaction.

    Args:
        key: stands once for ever; a second mail with it is not written.
        expires_at: after it the mail is of no use and is not sent (its link has lapsed).

    Raises:
        ValueError: not a plain mail address.
    """
    cleaned = clean_address(address)
    if cleaned is None:
        raise ValueError("not a mail address")
    _write(
        session, clock, EMAIL, kind, cleaned, head_line(subject), body, account_id, key, expires_at
    )


def write_text_message(
    session: Session,
    clock: Clock,
    *,
    kind: str,
    mobile: str,
    text: str,
    account_id: int | None = None,
    key: str | None = None,
    expires_at: datetime | None = None,
) -> None:
    """Write a text message; a `key` stands once. Raises ValueError: not a mobile number."""
    cleaned = clean_mobile(mobile)
    if cleaned is None:
        raise ValueError("not a mobile number")
    _write(session, clock, SMS, kind, cleaned, "", text, account_id, key, expires_at)


def _write(
    session: Session,
    clock: Clock,
    channel: str,
    kind: str,
    address: str,
    subject: str,
    body: str,
    account_id: int | None,
    key: str | None,
    expires_at: datetime | None,
) -> None:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    values = {
        "channel": channel,
        "kind": kind,
        "key": key,
        "account_id": account_id,
        "address": address,
        "subject": subject,
        "body": body.replace("\x00", ""),
        "stage": "waiting",
        "created_at": clock(),
        "expires_at": expires_at,
        "error": "",
    }
    made = session.scalar(
        insert(OutgoingMessage)
        .values(values)
        .on_conflict_do_nothing()
        .returning(OutgoingMessage.id)
    )
    if made is not None:
        _queue(session, clock, made)


def _queue(session: Session, clock: Clock, message_id: int) -> None:
    payload = {"message_id": message_id}
    enqueue(session, clock, SEND, payload, key=f"{SEND}:{message_id}", max_attempts=ATTEMPTS)


class Postman:
    """Sends what waits, by the channels that are set up."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        smtp_url: str,
        sender: str,
        sender_name: str,
        host: str,
        gateway: Callable[[], TextGateway | None],
    ) -> None:
        self._database, self._clock = database, clock
        self._server = MailServer.of(smtp_url) if smtp_url else None
        self._sender, self._sender_name, self._host = sender, sender_name, host
        self._gateway = gateway

    def send(self, message_id: int) -> None:
        """Send one message if it still waits; without its channel it goes on waiting.

        Raises:
            MailUnavailable: it should be tried again; the message waits.
        """
        with self._database.reading() as session:
            message = session.get(OutgoingMessage, message_id)
        if message is None or message.stage != "waiting":
            return
        if message.expires_at is not None and message.expires_at <= self._clock():
            self._finish(message_id, "expired")
            return
        try:
            sent = self._send_mail(message) if message.channel == EMAIL else self._text(message)
        except MailRefused as refusal:
            self._finish(message_id, "failed", str(refusal))
            return
        if sent:
            self._finish(message_id, "sent")

    def _send_mail(self, message: OutgoingMessage) -> bool:
        if self._server is None:
            return False
        self.hand_in(message)
        return True

    def hand_in(self, message: OutgoingMessage) -> None:
        """Hand one mail to the server, which must be set up. Raises MailRefused, MailUnavailable."""
        assert self._server is not None
        self._server.send(self.mail_of(message), self._sender, message.address)

    def _text(self, message: OutgoingMessage) -> bool:
        gateway = self._gateway()
        if gateway is None:
            return False
        gateway.send(message.address, message.body)
        return True

    def mail_of(self, message: OutgoingMessage) -> EmailMessage:
        """Return the mail as it goes out: plain text in UTF-8, the same Message-ID each time."""
        mail = EmailMessage()
        mail["From"] = _sender_line(self._sender_name, self._sender)
        mail["To"] = message.address
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(message.created_at)
        stamp = int(message.created_at.timestamp())
        mail["Message-ID"] = f"<{message.id}.{stamp}@{self._host}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.body, charset="utf-8", cte="base64")
        return mail

    def _finish(self, message_id: int, stage: str, error: str = "") -> None:
        with self._database.writing() as session:
            message = session.get(OutgoingMessage, message_id, with_for_update=True)
            if message is not None and message.stage == "waiting":
                message.stage, message.error = stage, error[:500]
                message.finished_at, message.body = self._clock(), ""


def _sender_line(name: str, address: str) -> str:
    plain = head_line(name, 60).replace('"', "").replace("\\", "")
    return f'"{plain}" <{address}>' if plain else address


def queue_left_over(session: Session, clock: Clock) -> int:
    """Queue messages that wait without a job (mail was not set up, a job was quarantined)."""
    since = clock() - timedelta(minutes=LEFT_MINUTES)
    waiting = session.scalars(
        select(OutgoingMessage.id)
        .where(OutgoingMessage.stage == "waiting", OutgoingMessage.created_at < since)
        .limit(1000)
    ).all()
    keys = [f"{SEND}:{message_id}" for message_id in waiting]
    active = set(
        session.scalars(
            select(Job.key).where(Job.key.in_(keys), Job.state.in_(("queued", "running")))
        )
    )
    left = [i for i in waiting if f"{SEND}:{i}" not in active]
    for message_id in left:
        _queue(session, clock, message_id)
    return len(left)


def forget_messages(session: Session, now: datetime) -> None:
    """Forget what was sent long ago: whom we wrote to is personal data."""
    session.execute(
        delete(OutgoingMessage).where(
            OutgoingMessage.finished_at < now - timedelta(days=KEEP_DAYS),
        )
    )
