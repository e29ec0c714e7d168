"""A real mail server on a free port of 127.0.0.1: keeps what it is handed, and can be told to refuse."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller


@dataclass
class Mailbox:
    """`mails` in order; `answers` are given instead of taking a mail, the first one first."""

    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    url: str = ""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.answers:
            return self.answers.pop(0)
        mail = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 taken"

    def text(self, number: int = -1) -> str:
        return str(self.mails[number].get_content())

    def link(self, number: int = -1) -> str:
        """Return the path of the first link in a mail."""
        found = re.search(r"https?://[^/\s]+(/\S+)", self.text(number))
        assert found, self.text(number)
        return found[1]


class _Server(Controller):
    def _trigger_server(self) -> None:
        """Learn the port that the system gave before the first connection is tried."""
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    controller = _Server(box, hostname="127.0.0.1", port=0)
    controller.start()
    box.url = f"smtp://127.0.0.1:{controller.port}"
    yield box
    controller.stop()
