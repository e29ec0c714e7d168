"""Asking a source again when it is busy or stumbles, within bounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from harvesters.record import SourceFailed

_LONGEST_TOLD = 30 * 86_400
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


def patient_get(
    http: requests.Session,
    url: str,
    patience: Patience,
    *,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> requests.Response:
    """Return the first answer that is neither "busy" nor a server's fault; other statuses too.

    Raises:
        SourceFailed: every attempt failed, the address is refused, or the asked wait is too long.
    """
    attempt = 1
    while True:
        failure = SourceFailed("")
        try:
            response = http.get(url, params=params, headers=headers)
            if response.status_code not in _BUSY and response.status_code < 500:
                return response
            failure = _failure_of(response)
        except _TRANSIENT as error:
            failure = SourceFailed(f"没有取得来源的应答：{error}")
        except requests.RequestException as error:
            raise SourceFailed(f"没有取得来源的应答：{error}") from error
        wait = failure.retry_after_seconds
        if wait is None:
            wait = patience.backoff_seconds * 2 ** (attempt - 1)
        if attempt >= patience.attempts or wait > patience.longest_wait_seconds:
            raise failure
        patience.sleep(wait)
        attempt += 1


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
