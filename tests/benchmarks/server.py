"""Starts the portal as operators do, in processes of its own, and measures their memory."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import requests

START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(home: Path, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "XIANGYUN_HOME": str(home),
        "XIANGYUN_ANONYMOUS_RATE": "0",
        "XIANGYUN_MAX_UPLOAD_BYTES": str(2 * 1024**3),  # the file of a gigabyte
        "XIANGYUN_SECRET_KEY": "benchmark-" * 6,
        **more,
    }


def command(home: Path, *arguments: str) -> str:
    """Run a `xiangyun` command to its end and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "portal", *arguments],
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"xiangyun {' '.join(arguments)}: {done.stderr[-2000:]}")
    return done.stdout.strip()


@contextmanager
def process(arguments: Sequence[str], env: dict[str, str]) -> Iterator[psutil.Process]:
    """Run a process group and end it, by its id."""
    started = subprocess.Popen(
        arguments,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield psutil.Process(started.pid)
    finally:
        os.killpg(started.pid, signal.SIGTERM)
        try:
            started.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)


@contextmanager
def portal(home: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Serve a data folder with `xiangyun run --empty`; yield its address and its first process."""
    port = free_port()
    arguments = [sys.executable, "-m", "portal", "run", "--empty", "--port", str(port)]
    with process(arguments, environment(home)) as first:
        url = f"http://127.0.0.1:{port}"
        wait_until_up(f"{url}/health")
        yield url, first


@contextmanager
def bare(target: str, path: str = "/", **env: str) -> Iterator[str]:
    """Serve a bare Flask application on the portal's own server; yield its address."""
    port = free_port()
    arguments = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--workers", "2",
        "--blocking-threads", "8", "--port", str(port), target,
    ]  # fmt: skip
    with process(arguments, environment(Path("/nonexistent"), **env)):
        url = f"http://127.0.0.1:{port}"
        wait_until_up(url + path)
        yield url


def wait_until_up(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if requests.get(url, timeout=2).status_code < 500:
                return
        except requests.RequestException:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"{url} did not come up")


def settle(first: psutil.Process, most_seconds: float = 300.0) -> float:
    """Wait until the worker has done what a mass import leaves it; return the seconds it took.

    It checks the quality of each new entry, on a core of its own; a portal at its daily work is
    measured, and how long it takes to get there is told.
    """
    started = time.monotonic()
    while time.monotonic() - started < most_seconds:
        before = _cpu_seconds(first)
        time.sleep(3)
        if _cpu_seconds(first) - before < 0.3:
            break
    return time.monotonic() - started


def _cpu_seconds(first: psutil.Process) -> float:
    times = [one.cpu_times() for one in (first, *first.children(recursive=True))]
    return sum(one.user + one.system for one in times)


def memory_pss_mb(first: psutil.Process) -> float:
    """Return the proportional set size of a process and all below it, in MB."""
    group = [first, *first.children(recursive=True)]
    return sum(p.memory_full_info().pss for p in group) / 1e6
