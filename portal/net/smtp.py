"""Hands one mail to a mail server, and tells what may be tried again from what may not."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

TIMEOUT_SECONDS = 20
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class MailRefused(Exception):
    """The server will never take this mail for this recipient (5xx); trying again is of no use."""


class MailUnavailable(Exception):
    """The server does not answer, is busy (4xx), or does not let us in; try again later."""


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed in. `scheme`: smtp (no encryption), smtp+starttls, smtps."""

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = ""

    @classmethod
    def of(cls, url: str) -> MailServer:
        """Read the setting SMTP_URL. Raises ValueError with what is wrong about it."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError("expected smtp://, smtp+starttls:// or smtps:// with a host")
        if parts.scheme == "smtp" and parts.password:
            raise ValueError("a password needs smtp+starttls:// or smtps://")
        return cls(
            parts.scheme,
            parts.hostname,
            parts.port or PORTS[parts.scheme],
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )

    def send(self, message: EmailMessage, sender: str, recipient: str) -> None:
        """Hand in one mail; once the server has taken it, nothing raises any more.

        Raises:
            MailRefused: the recipient or the mail is refused for good.
            MailUnavailable: everything else, a wrong password of ours included.
        """
        try:
            server = self._open()
        except (OSError, smtplib.SMTPException) as error:
            raise MailUnavailable(_text(error)) from error
        try:
            server.send_message(message, sender, [recipient])
        except smtplib.SMTPRecipientsRefused as error:
            code, reason = error.recipients[recipient]
            _raise(code, reason, error)
        except smtplib.SMTPDataError as error:
            _raise(error.smtp_code, error.smtp_error, error)
        except (OSError, smtplib.SMTPException) as error:
            raise MailUnavailable(_text(error)) from error
        finally:
            with suppress(OSError, smtplib.SMTPException):  # the mail is with the server by now
                server.quit()

    def _open(self) -> smtplib.SMTP:
        if self.scheme == "smtps":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)
        try:
            if self.scheme == "smtp+starttls":
                server.starttls(context=ssl.create_default_context())
            if self.user:
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server


def _raise(code: int, reason: bytes | str, error: Exception) -> None:
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
    kind = MailRefused if 500 <= code < 600 else MailUnavailable
    raise kind(f"{code} {text}"[:400]) from error


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:400]
