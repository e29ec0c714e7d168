"""What may go wrong with a fetch, in words for people and a reason for code."""

from __future__ import annotations

from typing import Any

import requests
import urllib3

from portal.errors import PortalError
from portal.net.limits import Limits


class FetchFailed(PortalError, requests.RequestException):
    """The answer could not be had. `reason` is a stable word for code, the text is for people.

    Also a `requests.RequestException`, so that code that knows only requests handles it.
    """

    code = "fetch_failed"
    default_message = "无法从该地址取得内容。"

    def __init__(self, message: str | None = None, *, reason: str = "failed", **params: Any):
        super().__init__(message, **params)
        self.reason = reason


class FetchInterrupted(FetchFailed, requests.ConnectionError):
    """It may work when tried again: no connection, no answer in time, an answer cut short."""

    code = "fetch_interrupted"


class RefusedAddress(FetchFailed, requests.exceptions.InvalidURL):
    """The address lies in a network that the portal does not connect to."""

    code = "refused_address"


def too_large(limits: Limits) -> FetchFailed:
    message = "内容超过允许的大小（{max_bytes} 字节）。"
    return FetchFailed(message, reason="too_large", max_bytes=limits.max_bytes)


def too_slow(limits: Limits) -> FetchFailed:
    message = "对方在 {max_seconds} 秒内没有传完内容。"
    return FetchFailed(message, reason="too_slow", max_seconds=limits.max_seconds)


def bad_url() -> FetchFailed:
    return FetchFailed("网址无效：只接受 http:// 或 https:// 开头的完整网址。", reason="bad_url")


def translated(error: Exception, limits: Limits, *, is_expired: bool) -> FetchFailed:
    """Turn an error of requests or urllib3 into ours; what is ours stays."""
    if isinstance(error, FetchFailed):
        return error
    if is_expired:
        return too_slow(limits)
    known = requests.exceptions
    if isinstance(error, known.TooManyRedirects):
        return FetchFailed("该网址跳转次数过多。", reason="too_many_redirects")
    if isinstance(error, known.SSLError | urllib3.exceptions.SSLError):
        return FetchFailed("对方的安全证书无效。", reason="bad_certificate")
    if isinstance(error, known.Timeout | urllib3.exceptions.TimeoutError | TimeoutError):
        return FetchInterrupted("对方没有及时应答。", reason="timeout")
    if isinstance(error, known.ContentDecodingError | urllib3.exceptions.DecodeError):
        return FetchFailed("内容的压缩格式有误，无法解开。", reason="bad_encoding")
    if isinstance(error, known.InvalidURL | known.InvalidSchema | known.MissingSchema | ValueError):
        return bad_url()
    if isinstance(error, known.RequestException | urllib3.exceptions.HTTPError | OSError):
        return FetchInterrupted("传输中断，内容不完整。", reason="interrupted")
    return FetchFailed()
