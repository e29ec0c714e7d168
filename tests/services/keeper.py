"""Runs one service and ends it when told to, or when the process it was started for is gone.

usage: python -m tests.services.keeper OWNER_PID STOP_SIGNAL GRACE_SECONDS PID_FILE COMMAND...

Pytest may be interrupted or killed at any moment; a keeper is what makes sure that no database
outlives it. OWNER_PID 0 means nobody: the service runs until the keeper gets SIGTERM.
A service that has not ended GRACE_SECONDS after the stop signal is killed with its children.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import psutil

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Ending:
    """How a service is asked to end."""

    signal: signal.Signals
    grace_seconds: float


def keep(owner_pid: int, ending: Ending, pid_file: Path, command: list[str]) -> int:
    """Run `command` until it ends, the owner is gone or SIGTERM comes; return its exit code."""
    told: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        told.append(number)

    signal.signal(signal.SIGTERM, remember)
    signal.signal(signal.SIGINT, remember)
    owner = psutil.Process(owner_pid) if owner_pid else None
    child = subprocess.Popen(command, process_group=0)
    pid_file.write_text(str(child.pid))
    while child.poll() is None and not told and (owner is None or lives(owner)):
        time.sleep(POLL_SECONDS)
    return _end(child, ending)


def lives(process: psutil.Process) -> bool:
    """Return whether it still runs; one that ended but was not yet reaped does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _end(child: subprocess.Popen[bytes], ending: Ending) -> int:
    if child.poll() is None:
        child.send_signal(ending.signal)
    try:
        return child.wait(ending.grace_seconds)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        return child.wait()


if __name__ == "__main__":
    owner, signal_name, grace, pid_path, *service = sys.argv[1:]
    how = Ending(signal.Signals[signal_name], float(grace))
    sys.exit(keep(int(owner), how, Path(pid_path), service))
