"""The bounds of one guarded session."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Resolver = Callable[..., list[Any]]
"""As `socket.getaddrinfo`."""


@dataclass(frozen=True)
class Limits:
    """`timeouts`: seconds to connect, and between two pieces. `max_bytes`: of one answer, as sent
    and decompressed. `max_seconds`: of one request with its redirects and its body."""

    allowed_hosts: frozenset[str] = frozenset()
    timeouts: tuple[float, float] = (10.0, 30.0)
    max_bytes: int = 50_000_000
    max_seconds: float = 300.0
    resolver: Resolver = socket.getaddrinfo
