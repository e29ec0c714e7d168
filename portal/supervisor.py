"""Serves and works in one process group: the web server here, the worker beside it.

The portal's modules are imported here, before the processes are forked, so that all of them share
the pages of code and dictionaries; nothing is opened here, and no thread runs before the fork.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import subprocess
import sys
import threading
from multiprocessing.process import BaseProcess

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

WEB_WORKERS, WEB_THREADS = 2, 8
END_SECONDS = 15
ALLOCATOR = {"MALLOC_ARENA_MAX": "2"}  # glibc keeps freed memory an arena a thread otherwise


def serve(host: str, port: int, workers: int = WEB_WORKERS) -> None:
    """Run the web server until it is told to end."""
    os.environ.update(ALLOCATOR)
    preload()
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


def preload() -> None:
    """Import what every process needs; frozen, the collector leaves the shared pages alone."""
    import portal.wsgi  # noqa: F401

    gc.collect()
    gc.freeze()


class WorkerProcess:
    """The worker beside the web server; started again if it dies."""

    def __init__(self) -> None:
        self._ending = threading.Event()
        self._process: subprocess.Popen[bytes] | BaseProcess = self._fork()
        threading.Thread(target=self._watch, daemon=True).start()

    def _fork(self) -> BaseProcess:
        """Start the first worker by a fork, while this process has one thread only."""
        process = multiprocessing.get_context("fork").Process(target=_work, name="worker")
        process.start()
        return process

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **ALLOCATOR}
        return subprocess.Popen([sys.executable, "-m", "portal", "worker"], env=environment)

    def _watch(self) -> None:
        while not self._ending.is_set():
            self._wait()
            if not self._ending.wait(1):
                self._process = self._start()

    def _wait(self, seconds: float | None = None) -> bool:
        """Return whether the worker has ended (within the time)."""
        if isinstance(self._process, BaseProcess):
            self._process.join(seconds)
            return self._process.exitcode is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self) -> None:
        self._ending.set()
        self._process.terminate()
        if not self._wait(END_SECONDS):
            self._process.kill()


def _work() -> None:
    sys.argv = ["xiangyun", "worker"]
    from portal.cli import main as command

    command()


def main() -> None:
    parser = argparse.ArgumentParser(prog="portal.supervisor", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000)
    arguments = parser.parse_args()
    os.environ.update(ALLOCATOR)
    preload()
    worker = WorkerProcess()
    try:
        serve(arguments.host, arguments.port)
    finally:
        worker.end()


if __name__ == "__main__":
    main()
