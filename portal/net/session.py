"""The guarded session: requests, with our connections, bounds and redirect rules."""

from __future__ import annotations

import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from portal.net.body import BoundedBody
from portal.net.connection import GuardedPool, GuardedTLSPool
from portal.net.errors import bad_url, translated
from portal.net.fetch import Fetch, Stop, current
from portal.net.limits import Limits, Resolver

_KEPT_ON_OTHER_ORIGIN = {
    "user-agent",
    "accept",
    "accept-encoding",
    "accept-language",
    "connection",
    "range",
    "if-none-match",
    "if-modified-since",
}


def guarded_session(
    *,
    allowed_hosts: frozenset[str] = frozenset(),
    user_agent: str = "xiangyun",
    connect_timeout: float = 10.0,
    read_timeout: float = 30.0,
    max_bytes: int = 50_000_000,
    max_seconds: float = 300.0,
    max_redirects: int = 5,
    resolver: Resolver = socket.getaddrinfo,
) -> requests.Session:
    """Return a session that reaches public addresses only and never reads without bounds.

    Args:
        allowed_hosts: "host:port" as written in the URL ("[::1]:8080" for IPv6) that may lie
            anywhere; the setting FETCH_ALLOWED_HOSTS.
        max_bytes: of one answer, both as sent and after decompression.
        max_seconds: for one request with all its redirects and its body.

    Every error of the session and of its answers' bodies is a `FetchFailed`.
    """
    limits = Limits(
        frozenset(host.strip().lower() for host in allowed_hosts),
        (connect_timeout, read_timeout),
        max_bytes,
        max_seconds,
        resolver,
    )
    session = _GuardedSession(limits)
    session.max_redirects = max_redirects
    session.headers["User-Agent"] = user_agent
    return session


class _GuardedAdapter(HTTPAdapter):
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": GuardedPool, "https": GuardedTLSPool}

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["proxies"] = {}  # a proxy would connect for us, unchecked
        kwargs["timeout"] = kwargs.get("timeout") or self._limits.timeouts
        return super().send(request, *args, **kwargs)

    def build_response(self, request: Any, raw: Any) -> requests.Response:
        response = super().build_response(request, raw)
        assert current.fetch is not None  # _connect refuses before this
        response.raw = BoundedBody(raw, current.fetch)
        return response


class _GuardedSession(requests.Session):
    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self._limits = limits
        self.trust_env = False
        self.adapters.clear()
        self.mount("http://", _GuardedAdapter(limits))
        self.mount("https://", _GuardedAdapter(limits))

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        try:
            return super().prepare_request(request)
        except (requests.RequestException, ValueError) as error:
            raise bad_url() from error

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        if current.fetch is not None:  # a redirect: the same fetch, the same deadline
            return super().send(request, **kwargs)
        fetch = current.fetch = Fetch(self._limits)
        is_read_later = False
        try:
            response = super().send(request, **kwargs)
            is_read_later = bool(kwargs.get("stream", self.stream))
            return response
        except Stop as stop:
            raise stop.error from stop
        except (requests.RequestException, HTTPError, ValueError) as error:
            expired = fetch.is_expired
            raise translated(error, self._limits, is_expired=expired) from error
        finally:
            current.fetch = None
            if not is_read_later:
                fetch.finish()

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        """Keys in headers of any name (X-CKAN-API-Key) stay with the host they were meant for."""
        old, new = response.request.url or "", prepared_request.url or ""
        if not self.should_strip_auth(old, new):  # type: ignore[no-untyped-call]
            return
        for name in list(prepared_request.headers):
            if name.lower() not in _KEPT_ON_OTHER_ORIGIN:
                del prepared_request.headers[name]
        prepared_request.body = None
        prepared_request.method = "HEAD" if prepared_request.method == "HEAD" else "GET"
