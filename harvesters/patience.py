"""Asking a source again when it is busy or stumbles, within bounds."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any

import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from harvesters.record import SourceFailed

_LONGEST_TOLD = 30 * 86_400
LARGEST = 20_000_000
_PIECE = 1 << 16
_BUSY = frozenset({429, 503})
_TRANSIENT = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)


@dataclass(frozen=True)
class Patience:
    """`longest_wait_seconds`: a source that asks for more (Retry-After) is left for another run."""

    attempts: int = 4
    backoff_seconds: float = 1.0
    longest_wait_seconds: float = 120.0
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def of(cls, options: Mapping[str, Any], sleep: Callable[[float], None]) -> Patience:
        """Return what a source's options say: `attempts`, `backoff_seconds`, …"""
        names = ("attempts", "backoff_seconds", "longest_wait_seconds")
        return cls(**{name: options[name] for name in names if name in options}, sleep=sleep)


class AnswerTooLarge(SourceFailed):
    """The answer is larger than what can be read at once."""


@dataclass(frozen=True)
class Received:
    """An answer with its whole body; `content` is empty if it went into a file."""

    status_code: int
    content: bytes
    headers: Mapping[str, str]
    url: str


def patient_get(
    http: requests.Session,
    url: str,
    patience: Patience,
    *,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = LARGEST,
    into: IO[bytes] | None = None,
) -> Received:
    """Return the first answer that is neither "busy" nor a server's fault; other statuses too.

    Args:
        max_bytes: of the body, unpacked.
        into: an empty file that takes the body, for one that need not fit into memory.

    Raises:
        AnswerTooLarge: more than `max_bytes`.
        SourceFailed: every attempt failed, the address is refused, or the asked wait is too long.
    """
    attempt = 1
    while True:
        failure = SourceFailed("")
        try:
            with http.get(url, params=params, headers=headers, stream=True) as response:
                if response.status_code not in _BUSY and response.status_code < 500:
                    return _received(response, max_bytes, into)
                failure = _failure_of(response)
        except _TRANSIENT as error:
            failure = SourceFailed(f"没有取得来源的应答：{_in_words(error)}")
        except requests.RequestException as error:
            raise SourceFailed(f"没有取得来源的应答：{error}") from error
        wait = failure.retry_after_seconds
        if wait is None:
            wait = patience.backoff_seconds * 2 ** (attempt - 1)
        if attempt >= patience.attempts or wait > patience.longest_wait_seconds:
            raise failure
        patience.sleep(wait)
        attempt += 1


def _in_words(error: requests.RequestException) -> str:
    """Return what happened for a clerk; the technical words follow in brackets."""
    said = str(error)
    known = (
        (("timed out", "Timeout"), "来源在规定时间内没有答复"),
        (("NameResolution", "Name or service", "getaddrinfo"), "找不到来源的域名，请核对地址"),
        (("Connection refused",), "来源拒绝连接，它的服务可能没有开启"),
        (("IncompleteRead", "Connection broken"), "来源的应答中途断开，没有收全"),
        (("RemoteDisconnected", "reset by peer", "aborted"), "来源没有答复就断开了连接"),
        (("SSL", "certificate"), "来源的安全证书有问题，请来源更换证书"),
    )
    for words, meaning in known:
        if any(word in said for word in words):
            return f"{meaning}（{said[:200]}）"
    return said


def _received(response: requests.Response, max_bytes: int, into: IO[bytes] | None) -> Received:
    body = into or io.BytesIO()
    body.seek(0)
    body.truncate()  # an attempt before may have left its beginning
    size = 0
    for piece in response.iter_content(_PIECE):
        size += len(piece)
        if size > max_bytes:
            raise AnswerTooLarge(f"来源的应答超过 {max_bytes // 1_000_000} MB，没有读取。")
        body.write(piece)
    content = body.getvalue() if isinstance(body, io.BytesIO) else b""
    return Received(response.status_code, content, response.headers, response.url)


def _failure_of(response: requests.Response) -> SourceFailed:
    wait = None
    asked = response.headers.get("Retry-After")
    if asked and response.status_code in _BUSY:
        try:
            wait = Retry(retry_after_max=_LONGEST_TOLD).parse_retry_after(asked)
        except InvalidHeader:
            wait = None
    what = "要求稍后再来" if response.status_code in _BUSY else "服务器出错"
    return SourceFailed(f"来源{what}（HTTP {response.status_code}）。", retry_after_seconds=wait)
