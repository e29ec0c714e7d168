"""One request with its redirects and its body, and the timer that ends it."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from dataclasses import dataclass, field

from portal.net.errors import FetchFailed
from portal.net.limits import Limits


class Stop(Exception):
    """Carries our error through urllib3, which would wrap and retry an OSError."""

    def __init__(self, error: FetchFailed) -> None:
        super().__init__(str(error))
        self.error = error


class Fetch:
    """One request with its redirects and body: its deadline and the timer that keeps it.

    The timer shuts the socket, because timeouts on single reads do not stop a server that sends
    one byte now and then. It holds a duplicate of the descriptor: shutting that also ends a TLS
    connection, and never touches a descriptor that was closed and given to somebody else.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.deadline = time.monotonic() + limits.max_seconds
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._timer = threading.Timer(limits.max_seconds, self._shut)
        self._timer.daemon = True
        self._timer.start()

    @property
    def is_expired(self) -> bool:
        return time.monotonic() >= self.deadline

    def watch(self, sock: socket.socket) -> None:
        with self._lock:
            self._drop_handle()
            self._handle = socket.socket(fileno=os.dup(sock.fileno()))
        if self.is_expired:
            self._shut()

    def finish_body(self) -> None:
        """A body has ended. That of a redirect does not end the fetch: its session goes on."""
        if current.fetch is not self:
            self.finish()

    def finish(self) -> None:
        self._timer.cancel()
        with self._lock:
            self._drop_handle()

    def _shut(self) -> None:
        with self._lock:
            if self._handle is not None:
                with contextlib.suppress(OSError):  # the peer was quicker
                    self._handle.shutdown(socket.SHUT_RDWR)
            self._drop_handle()

    def _drop_handle(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None


@dataclass
class Current(threading.local):
    """The fetch that this thread is in: how the connection classes learn of its limits."""

    fetch: Fetch | None = field(default=None)


current = Current()
