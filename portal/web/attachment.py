"""Answers that carry a user's file: always an attachment, never active content of this site."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import quote

from flask import Response, request
from werkzeug.http import quote_etag

from portal.errors import TooManyRequests
from portal.storage.base import StoredObject
from portal.web.context import platform

SMALL_BYTES = 256 * 1024
WAIT_SECONDS = 1.0
RETRY_AFTER_SECONDS = 5
_TOKEN_CHARACTERS = "!#$&+-.^_`|~"  # may stand unquoted in filename*, RFC 8187
_one_waiter = threading.Lock()


class Busy(TooManyRequests):
    """Every download slot is taken."""

    code = "busy"
    default_message = "同时下载的人较多，请在 {retry_after_seconds} 秒后重试。"


def disposition(filename: str, fallback: str) -> dict[str, str]:
    """Return the header parameters of RFC 6266: an ASCII name, and the real one in UTF-8."""
    plain = unicodedata.normalize("NFKD", filename).encode("ascii", "ignore").decode()
    plain = "".join(c for c in plain if c.isalnum() or c in "._- ").strip(" .")
    suffix = PurePosixPath(filename).suffix
    if not plain or plain == suffix.lstrip("."):
        plain = fallback + (suffix if suffix.isascii() else "")
    return {"filename": plain, "filename*": "UTF-8''" + quote(filename, safe=_TOKEN_CHARACTERS)}


def attachment(body: bytes, media_type: str, filename: str, fallback: str) -> Response:
    """Return the answer with the headers that keep browsers from running it.

    An empty body is filled in later, and has no length yet.
    """
    response = Response(content_type=media_type or "application/octet-stream")
    if body:
        response.data = body
    response.headers.set("Content-Disposition", "attachment", **disposition(filename, fallback))
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "no-cache"
    return response


def stored_file(stored: StoredObject, media_type: str, filename: str, fallback: str) -> Response:
    """Answer with a stored file: whole, one range of it (206, 416), or that it is known (304)."""
    if request.if_none_match.contains(stored.sha256):
        return _with_etag(Response(status=304), stored)
    if platform().settings.accel_prefix and hasattr(platform().storage, "internal_path"):
        return _with_etag(_by_nginx(stored, media_type, filename, fallback), stored)
    span = _range(stored)
    if span is None:
        return _with_etag(_unsatisfiable(stored.size_bytes), stored)
    start, stop, partial = span
    response = attachment(b"", media_type, filename, fallback)
    _send(response, stored.sha256, start, stop)
    response.headers["Content-Length"] = str(stop - start)
    if partial:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{stored.size_bytes}"
    response.headers["Accept-Ranges"] = "bytes"
    return _with_etag(response, stored)


def _with_etag(response: Response, stored: StoredObject) -> Response:
    response.headers["ETag"] = quote_etag(stored.sha256)
    return response


def _range(stored: StoredObject) -> tuple[int, int, bool] | None:
    """Return (start, stop, whether a part was asked for), or None if the part is outside.

    Several ranges, other units and a range of another version are answered whole.
    """
    whole = (0, stored.size_bytes, False)
    asked = request.range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return whole
    if "If-Range" in request.headers and request.if_range.etag != stored.sha256:
        return whole
    part = asked.range_for_length(stored.size_bytes)
    return (*part, True) if part else None


def _unsatisfiable(size_bytes: int) -> Response:
    return Response(status=416, headers={"Content-Range": f"bytes */{size_bytes}"})


def _by_nginx(stored: StoredObject, media_type: str, filename: str, fallback: str) -> Response:
    response = attachment(b"", media_type, filename, fallback)
    path = platform().storage.internal_path(stored.sha256)  # type: ignore[attr-defined]
    response.headers["X-Accel-Redirect"] = f"{platform().settings.accel_prefix.rstrip('/')}/{path}"
    return response


def _send(response: Response, sha256: str, start: int, stop: int) -> None:
    """Set the body. Small ones leave the thread at once; others hold one of few slots."""
    if request.method == "HEAD" or start == stop:
        return
    pieces = platform().storage.open(sha256, start=start, length=stop - start)
    if stop - start <= SMALL_BYTES:
        response.set_data(b"".join(pieces))
    else:
        hold_slot(response, pieces)


def hold_slot(response: Response, pieces: Iterator[bytes]) -> None:
    """Stream the pieces while holding a download slot, given back when the answer is closed.

    Raises:
        Busy: none came free in time; at most one request waits, since waiting costs a thread.
    """
    slots = platform().download_slots
    if not slots.acquire(blocking=False) and not _wait_for(slots):
        getattr(pieces, "close", lambda: None)()
        raise Busy(retry_after_seconds=RETRY_AFTER_SECONDS)
    given_back = threading.Lock()

    def give_back() -> None:
        if given_back.acquire(blocking=False):
            getattr(pieces, "close", lambda: None)()
            slots.release()

    def sent() -> Iterator[bytes]:
        try:
            yield from pieces
        finally:
            give_back()

    response.response = sent()
    response.call_on_close(give_back)  # also when nothing was ever read


def _wait_for(slots: threading.BoundedSemaphore) -> bool:
    if not _one_waiter.acquire(blocking=False):
        return False
    try:
        return slots.acquire(timeout=WAIT_SECONDS)
    finally:
        _one_waiter.release()
