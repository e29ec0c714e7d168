"""Fetching a source that is one document at one address (or several that name each other)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO
from urllib.parse import unquote, urlsplit

import requests

from harvesters.patience import LARGEST, Patience, patient_get
from harvesters.record import SourceFailed, SourceSettings

_BEGINNING = 4000


@dataclass(frozen=True)
class WholeAnswer:
    """A complete, non-empty answer. `media_type` without parameters, in lower case; may be empty."""

    content: bytes
    media_type: str
    url: str

    @property
    def filename(self) -> str:
        """Return the file name as the address gives it; may be empty."""
        return unquote(urlsplit(self.url).path.rpartition("/")[2])

    @property
    def is_web_page(self) -> bool:
        start = self.content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        return start.startswith((b"<!doctype html", b"<html"))


def _refusal(status: int, page: str) -> str:
    where = f"，在分页 {page[:200]}" if page else ""
    what = {
        401: "来源要求登录或密钥，请检查访问密钥。",
        403: "来源拒绝访问，请检查访问密钥，或请来源放行本平台。",
        404: "这个地址没有内容，请检查地址。",
        410: "来源已撤下这个地址，请向来源核实。",
    }.get(status, "请检查地址。")
    return f"取得清单失败（HTTP {status}{where}）。{what}"


def fetch_whole(
    settings: SourceSettings,
    http: requests.Session,
    patience: Patience,
    *,
    url: str = "",
    accept: str = "",
    into: IO[bytes] | None = None,
    max_bytes: int = LARGEST,
) -> WholeAnswer:
    """Fetch the source's address, or another one that it names.

    Args:
        into: an empty file that takes the body; `content` then holds its beginning only.

    Raises:
        AnswerTooLarge: more than `max_bytes`.
        SourceFailed: no answer, another status than 200, or an empty one.
    """
    headers = {"Accept": accept} if accept else {}
    headers |= settings.options.get("headers") or {}
    response = patient_get(
        http,
        url or settings.url,
        patience,
        headers=headers,
        into=into,
        max_bytes=max_bytes,
    )
    if response.status_code != 200:
        raise SourceFailed(_refusal(response.status_code, url if url != settings.url else ""))
    content = response.content
    if into is not None:
        into.seek(0)
        content = into.read(_BEGINNING)
    if not content:
        raise SourceFailed("来源的应答是空的。")
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return WholeAnswer(content, media_type, response.url)
