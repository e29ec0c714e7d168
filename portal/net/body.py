"""The body of an answer, read within bounds."""

from __future__ import annotations

from collections.abc import Iterator

import urllib3

from portal.net.errors import too_large, too_slow, translated
from portal.net.fetch import Fetch, Stop


class BoundedBody:
    """The part of urllib3's response that requests uses, with its bounds kept in `read`."""

    def __init__(self, raw: urllib3.HTTPResponse, fetch: Fetch) -> None:
        self._raw = raw
        self._fetch = fetch
        self._decoded_bytes = 0
        self.headers = raw.headers
        self.status = raw.status
        self.reason = raw.reason
        self.version = raw.version
        self._original_response = getattr(raw, "_original_response", None)
        if (raw.length_remaining or 0) > fetch.limits.max_bytes:  # declared by the server
            self.close()
            raise Stop(too_large(fetch.limits))

    @property
    def closed(self) -> bool:
        return self._raw.closed

    def stream(self, amt: int = 65536, decode_content: bool | None = None) -> Iterator[bytes]:
        while piece := self._read_piece(amt, decode_content):
            yield piece

    def read(self, amt: int | None = None, decode_content: bool | None = None) -> bytes:
        if amt is None or amt < 0:
            return b"".join(self.stream(decode_content=decode_content))
        return self._read_piece(amt, decode_content) if amt else b""

    def _read_piece(self, amt: int, decode_content: bool | None) -> bytes:
        try:
            piece = self._raw.read(amt, decode_content=decode_content)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            self.close()
            raise translated(
                error, self._fetch.limits, is_expired=self._fetch.is_expired
            ) from error
        if self._fetch.is_expired:
            self.close()
            raise too_slow(self._fetch.limits)
        self._decoded_bytes += len(piece)
        if max(self._decoded_bytes, self._raw.tell()) > self._fetch.limits.max_bytes:
            self.close()
            raise too_large(self._fetch.limits)
        if not piece:
            self._fetch.finish_body()
        return piece

    def close(self) -> None:
        self._fetch.finish_body()
        self._raw.close()

    def release_conn(self) -> None:
        self._fetch.finish_body()
        self._raw.release_conn()
