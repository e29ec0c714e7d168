"""A service process that can be started, stopped, killed and started again on its data."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from tests.services.keeper import lives

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "docker" / "local"
MISSING_SOFTWARE = 3  # exit code of the scripts in docker/local
# Below the range from which the kernel takes ports for outgoing connections, so that no client
# sits on a port between our look and the server's start; weed needs the ports 10000 above as well.
PORTS = range(11_000, 21_900)


class ServiceMissing(Exception):
    """The software of a service is not installed."""


class ServiceFailed(Exception):
    """A service ended, or did not answer in time; the message holds the end of its log."""


def free_port(span: int = 1, *, also_above: int = 0) -> int:
    """Return a port from which `span` ports (and those `also_above` higher) are free."""
    while True:
        base = random.choice(PORTS)
        offsets = (0, also_above) if also_above else (0,)
        if all(_is_free(base + i + offset) for i in range(span) for offset in offsets):
            return base


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Node(ABC):
    """One server on 127.0.0.1, with its data, log and process ids in a folder of its own.

    Args:
        folder: made when absent; a later start finds the data of the earlier one there.
        port: kept over restarts; 0 takes a free one.
        owner_pid: when this process is gone, so is the server; 0 for none, None for this process.
    """

    script: str
    port_span = 1
    ports_also_above = 0
    stop_signal = signal.SIGTERM
    grace_seconds = 15.0
    start_seconds = 60.0

    def __init__(self, folder: Path, *, port: int = 0, owner_pid: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port(self.port_span, also_above=self.ports_also_above)
        self._owner_pid = os.getpid() if owner_pid is None else owner_pid
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @abstractmethod
    def answers(self) -> bool:
        """Return whether the server is ready; may raise OSError when it is not."""

    def arguments(self) -> Sequence[str]:
        return ()

    def environment(self) -> Mapping[str, str]:
        return {}

    def start(self) -> None:
        """Start on the same port and data, and return once it answers.

        Raises:
            ServiceMissing: its software is not installed.
            ServiceFailed: it ended or did not answer in time.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._keeper = subprocess.Popen(
                self._command(),
                cwd=ROOT,
                env={**self._base_environment(), **self.environment()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches pytest, which then stops it in order
            )
        (self.folder / "keeper.pid").write_text(str(self._keeper.pid))
        self._wait()

    def _command(self) -> list[str]:
        pid_file = self.folder / "service.pid"
        pid_file.unlink(missing_ok=True)
        signal_name = signal.Signals(self.stop_signal).name
        keeper = [sys.executable, "-m", "tests.services.keeper", str(self._owner_pid)]
        ending = [signal_name, str(self.grace_seconds), str(pid_file)]
        service = [str(SCRIPTS / self.script), str(self.folder / "service"), str(self.port)]
        return [*keeper, *ending, *service, *self.arguments()]

    @staticmethod
    def _base_environment() -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        return {**os.environ, "PATH": path}

    def _wait(self) -> None:
        assert self._keeper is not None
        end = time.monotonic() + self.start_seconds
        while time.monotonic() < end:
            code = self._keeper.poll()
            if code == MISSING_SOFTWARE:
                raise ServiceMissing(self.log_tail(3))
            if code is not None:
                raise ServiceFailed(f"{self.script} ended with {code}:\n{self.log_tail()}")
            with suppress(OSError):
                if self.answers():
                    return
            time.sleep(0.1)
        self.stop()
        raise ServiceFailed(
            f"{self.script} did not answer in {self.start_seconds} s:\n{self.log_tail()}"
        )

    def stop(self) -> None:
        """End the server in good order; nothing happens when it is not running."""
        stop_keeper(self.folder / "keeper.pid")
        if self._keeper is not None:
            self._await_keeper(self._keeper)
            self._keeper = None

    def _await_keeper(self, keeper: subprocess.Popen[bytes]) -> None:
        """Wait for the end, but never for ever: a keeper that missed its signal is told again."""
        for tell in (keeper.terminate, keeper.terminate, keeper.kill):
            try:
                keeper.wait(20)
                return
            except subprocess.TimeoutExpired:
                tell()
        with suppress(OSError, ValueError):
            os.killpg(int((self.folder / "service.pid").read_text()), signal.SIGKILL)

    def kill(self) -> None:
        """End the server by SIGKILL, as a crash would."""
        pid_file = self.folder / "service.pid"
        with suppress(ProcessLookupError, FileNotFoundError):
            os.killpg(int(pid_file.read_text()), signal.SIGKILL)
        self.stop()

    def log_tail(self, lines: int = 40) -> str:
        return tail(self.log, lines)


def tail(log: Path, lines: int = 40) -> str:
    """Return the last lines of a log, or an empty text when there is none."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:])


def stop_keeper(pid_file: Path, wait_seconds: float = 30) -> None:
    """Stop the service whose keeper wrote this file, and wait for its end."""
    if not pid_file.exists():
        return
    with suppress(psutil.NoSuchProcess):
        keeper = psutil.Process(int(pid_file.read_text()))
        # The number may belong to another program by now: only a keeper is ours to end.
        if "tests.services.keeper" in keeper.cmdline():
            keeper.terminate()
            end = time.monotonic() + wait_seconds
            while lives(keeper) and time.monotonic() < end:
                time.sleep(0.05)
    pid_file.unlink(missing_ok=True)
