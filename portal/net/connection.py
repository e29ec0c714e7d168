"""Connections that check the address they connect to, at the moment they connect."""

from __future__ import annotations

import ipaddress
import socket
import time
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from portal.net.addresses import is_refused
from portal.net.errors import FetchFailed, FetchInterrupted, RefusedAddress
from portal.net.fetch import Stop, current
from portal.net.limits import Limits


def _connect(host: str, port: int, timeout: Any, options: Any) -> socket.socket:
    """Resolve once, check every address, and connect to one that was checked."""
    fetch = current.fetch
    if fetch is None:
        raise RuntimeError("a guarded connection outside of a guarded session")
    error: OSError | None = None
    for family, kind, protocol, _, address in _checked_addresses(host, port, fetch.limits):
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options or ():
                sock.setsockopt(*option)
            left = max(fetch.deadline - time.monotonic(), 0.001)
            sock.settimeout(min(left, timeout) if isinstance(timeout, int | float) else left)
            sock.connect(address)
            sock.settimeout(timeout)
            fetch.watch(sock)
            return sock
        except OSError as failure:
            sock.close()
            error = failure
    raise Stop(_no_connection(host, error))


def _no_connection(host: str, error: OSError | None) -> FetchFailed:
    if isinstance(error, TimeoutError):
        return FetchInterrupted("连接 {host} 超时。", reason="timeout", host=host)
    return FetchInterrupted("无法连接到 {host}。", reason="no_connection", host=host)


def _checked_addresses(host: str, port: int, limits: Limits) -> list[Any]:
    """One refused address refuses the name: a public one beside it is how rebinding looks."""
    host = host.strip("[]")
    try:
        found = limits.resolver(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        unknown = FetchInterrupted("找不到主机 {host}。", reason="unknown_host", host=host)
        raise Stop(unknown) from error
    if f"[{host}]:{port}".lower() in limits.allowed_hosts:
        return found
    if f"{host}:{port}".lower() in limits.allowed_hosts:
        return found
    for *_, address in found:
        if is_refused(ipaddress.ip_address(str(address[0]).partition("%")[0])):
            message = "地址 {host} 属于内部或保留网络，不允许访问。"
            raise Stop(RefusedAddress(message, reason="refused_address", host=host))
    return found


class _GuardedConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self._dns_host, self.port, self.timeout, self.socket_options)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _watch_reused(self.sock)
        super().request(*args, **kwargs)


class _GuardedTLSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self._dns_host, self.port, self.timeout, self.socket_options)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _watch_reused(self.sock)
        super().request(*args, **kwargs)


def _watch_reused(sock: socket.socket | None) -> None:
    if sock is not None and current.fetch is not None:
        current.fetch.watch(sock)


class GuardedPool(HTTPConnectionPool):
    ConnectionCls = _GuardedConnection


class GuardedTLSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedTLSConnection
