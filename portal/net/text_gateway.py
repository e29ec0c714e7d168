"""Gateways for text messages: one by HTTP, and one that writes them into a file of this machine.

SMS_URL names them: `https://…` (with SMS_TOKEN) or `file:///…`. A provider with another protocol is
an entry point of its own, named by SMS_GATEWAY.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests

from portal.net.errors import FetchFailed
from portal.net.session import guarded_session
from portal.net.smtp import MailRefused, MailUnavailable

MAX_BYTES, MAX_SECONDS = 100_000, 20.0
REFUSED = (400, 404, 410, 422)
SCHEMES = ("https", "http", "file")


def check_address(url: str) -> None:
    """Raise ValueError unless SMS_URL names a gateway that there is."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError("expected https://…, http://… or file:///…")
    if parts.scheme == "file" and (parts.netloc or not parts.path.startswith("/")):
        raise ValueError("expected file:/// and an absolute path")
    if parts.scheme != "file" and not parts.hostname:
        raise ValueError("expected a host")


class SpoolGateway:
    """Appends each message as a line of JSON to a file that its owner alone reads.

    For development, and for a modem or a sender of the machine's own that reads the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, mobile: str, text: str) -> None:
        line = json.dumps({"mobile": mobile, "text": text}, ensure_ascii=False) + "\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(handle, "ab") as file:
                file.write(line.encode())
        except OSError as error:
            raise MailUnavailable(f"the spool cannot be written: {error.strerror}") from error


class HttpGateway:
    """Posts `{"mobile": …, "text": …}` to a provider, with the token as its bearer.

    Any 2xx is a message taken; 400, 404, 410 and 422 refuse the number for good; all else may be
    tried again. The client is the guarded one: the address is checked where it connects, and an
    answer is bounded in bytes and time. A redirect is not followed with the message.
    """

    def __init__(
        self, url: str, token: str, *, allowed_hosts: frozenset[str] = frozenset()
    ) -> None:
        self._url, self._token = url, token
        self._http = guarded_session(
            allowed_hosts=allowed_hosts, max_bytes=MAX_BYTES, max_seconds=MAX_SECONDS
        )

    def send(self, mobile: str, text: str) -> None:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            answer = self._http.post(
                self._url,
                json={"mobile": mobile, "text": text},
                headers=headers,
                allow_redirects=False,
            )
        except (FetchFailed, requests.RequestException) as error:
            raise MailUnavailable(f"the gateway does not answer: {error}") from error
        if answer.status_code in REFUSED:
            raise MailRefused(f"the gateway refused: {answer.status_code}")
        if not 200 <= answer.status_code < 300:
            raise MailUnavailable(f"the gateway answered {answer.status_code}")


def gateway_of(
    url: str, token: str, allowed_hosts: frozenset[str]
) -> SpoolGateway | HttpGateway | None:
    """Return the gateway that SMS_URL names, None when it is empty."""
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme == "file":
        return SpoolGateway(Path(unquote(parts.path)))
    return HttpGateway(url, token, allowed_hosts=allowed_hosts)
