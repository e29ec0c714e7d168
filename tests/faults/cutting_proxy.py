"""A TCP relay that really cuts connections: after so many bytes, or all of them at once."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PIECE = 16 * 1024


class CuttingProxy:
    """Relays 127.0.0.1:`port` to `target_port`.

    Args:
        cut_after: called for each new connection; returns after how many bytes, counted in both
            directions, the connection is cut (None: never).
        on_cut: called once, when the first connection is cut.
    """

    def __init__(
        self,
        target_port: int,
        cut_after: Callable[[], int | None] = lambda: None,
        on_cut: Callable[[], None] = lambda: None,
    ) -> None:
        self._target_port = target_port
        self._cut_after = cut_after
        self._on_cut = on_cut
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target_port), timeout=60)
        except OSError:
            client.close()
            return
        budget = _Budget(self._cut_after())
        ways = [
            threading.Thread(target=self._relay, args=(one, other, budget, client, server))
            for one, other in ((client, server), (server, client))
        ]
        for way in ways:
            way.start()
        for way in ways:
            way.join()
        client.close()
        server.close()

    def _relay(
        self,
        source: socket.socket,
        target: socket.socket,
        budget: _Budget,
        *ends: socket.socket,
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                allowed = budget.take(len(piece))
                target.sendall(piece[:allowed])
                if allowed < len(piece):
                    self._cut(ends)
                    return
            target.shutdown(socket.SHUT_WR)

    def _cut(self, ends: tuple[socket.socket, ...]) -> None:
        self.cuts += 1
        if self.cuts == 1:
            self._on_cut()
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class _Budget:
    """How many bytes a connection may still carry."""

    def __init__(self, left: int | None) -> None:
        self._left = left
        self._lock = threading.Lock()

    def take(self, wanted: int) -> int:
        with self._lock:
            if self._left is None:
                return wanted
            allowed = min(wanted, self._left)
            self._left -= allowed
            return allowed


@contextmanager
def cutting(
    target_port: int,
    cut_after: Callable[[], int | None] = lambda: None,
    on_cut: Callable[[], None] = lambda: None,
) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(target_port, cut_after, on_cut)
    try:
        yield proxy
    finally:
        proxy.close()
