"""Serves and works in one process group: the web server here, the worker beside it.

Imports next to nothing of the portal, since this process only keeps the others alive.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

WEB_WORKERS, WEB_THREADS = 2, 8
END_SECONDS = 15
ALLOCATOR = {"MALLOC_ARENA_MAX": "2"}  # glibc keeps freed memory an arena a thread otherwise


def serve(host: str, port: int, workers: int = WEB_WORKERS) -> None:
    """Run the web server until it is told to end."""
    os.environ.update(ALLOCATOR)
    Granian(
        "portal.wsgi:make_app",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=WEB_THREADS,
        backpressure=WEB_THREADS * 16,
        respawn_failed_workers=True,
        log_level=LogLevels.error,
        websockets=False,
    ).serve()


class WorkerProcess:
    """The worker beside the web server; started again if it dies."""

    def __init__(self) -> None:
        self._ending = threading.Event()
        self._process = self._start()
        threading.Thread(target=self._watch, daemon=True).start()

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **ALLOCATOR}
        return subprocess.Popen([sys.executable, "-m", "portal", "worker"], env=environment)

    def _watch(self) -> None:
        while not self._ending.is_set():
            self._process.wait()
            if not self._ending.wait(1):
                self._process = self._start()

    def end(self) -> None:
        self._ending.set()
        self._process.terminate()
        try:
            self._process.wait(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()


def main() -> None:
    parser = argparse.ArgumentParser(prog="portal.supervisor", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000)
    arguments = parser.parse_args()
    worker = WorkerProcess()
    try:
        serve(arguments.host, arguments.port)
    finally:
        worker.end()


if __name__ == "__main__":
    main()
