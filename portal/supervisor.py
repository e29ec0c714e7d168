"""Serves and works in one process group: the web server here, the worker beside it.

The portal's modules are imported here, before the processes are forked, so that all of them share
the pages of code and dictionaries; nothing is opened here, and no thread runs before the fork.
"""

from __future__ import annotations

import argparse
import ctypes
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
M_ARENA_MAX = -8  # malloc.h
ARENAS = 2  # glibc keeps freed memory an arena a thread otherwise
WORKER_NICENESS = 5  # visitors come before jobs


def serve(host: str, port: int, workers: int = WEB_WORKERS) -> None:
    """Run the web server until it is told to end."""
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
    """Load what every process needs; frozen, the collector leaves the shared pages alone."""
    limit_arenas()
    import portal.wsgi  # noqa: F401
    from search.preload import preload_tables

    preload_tables()
    gc.collect()
    gc.freeze()


def limit_arenas() -> None:
    """Tell glibc's allocator, here and in the forks, to keep few arenas; other libcs have none."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)


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
        return subprocess.Popen([sys.executable, "-m", "portal", "worker"])

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
    os.nice(WORKER_NICENESS)
    sys.argv = ["xiangyun", "worker"]
    from portal.cli import main as command

    command()


def run(host: str, port: int) -> None:
    """Serve and work until told to end. Nothing may be open and no thread may run yet."""
    preload()
    worker = WorkerProcess()
    try:
        serve(host, port)
    finally:
        worker.end()
        gc.unfreeze()  # what is frozen at the end is reported as leaked


def main() -> None:
    parser = argparse.ArgumentParser(prog="portal.supervisor", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000)
    arguments = parser.parse_args()
    run(arguments.host, arguments.port)


if __name__ == "__main__":
    main()
