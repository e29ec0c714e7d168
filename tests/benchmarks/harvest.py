"""How fast one instance gathers another; `python -m tests.benchmarks.harvest --count 10000`.

Two whole portals, each with its own folder: the second harvests the first through its Action API,
started by `xiangyun harvest run` beside its own serving processes, which index meanwhile. The same
records loaded from a file into a third, empty folder (`xiangyun load`) are measured in the same
run, so that the rate also stands as a share of what this machine writes without a source.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import psutil
import requests

from tests.benchmarks import sample
from tests.benchmarks.server import (
    command,
    environment,
    free_port,
    memory_pss_mb,
    portal,
    process,
    wait_until_up,
)

COUNT = 10_000
RATE_AIM, AGAIN_AIM, PAGE_AIM_MS = 150, 1_000, 300
PASSWORD = "Bench-mark-2026"
LOOKS = 9
_WRITTEN = re.compile(r"已写入 (\d+)/(\d+)")
_RUN = re.compile(r"/work/sources/runs/\d+")
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Gathered:
    """One run of the command: how long until its end, and the highest memory by quarter."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_mb: dict[int, float] = field(default_factory=dict)  # quarter -> PSS of the command

    def rate(self, count: int) -> float:
        return count / self.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="records of the first instance")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="xiangyun-bench-") as folder:
        run(Path(folder), arguments.count, say=lambda text: print(text, flush=True))


def run(folder: Path, count: int, *, say: Callable[[str], None]) -> None:
    """Measure a first run, a second one that finds nothing new, and the page of a report."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "sample.jsonl"
    sample.write(file, count)
    city, province = folder / "city", folder / "province"
    command(city, "db", "upgrade")
    started = time.perf_counter()
    command(city, "load", str(file))
    loading = count / (time.perf_counter() - started)
    say(f"harvest of {count} records of a second instance; `load` of a file: {loading:.0f}/s")
    with portal(city) as (source, _), served(province, allowed=source) as here:
        command(
            province, "harvest", "add", "city", "--kind", "ckan", "--url", source,
            "--org", "JL-TRA", "--trusted",
        )  # fmt: skip
        _measure_first(province, here, source, count, loading, say)
        _measure_again(province, source, count, say)
        _measure_page(here, count, say)


@contextmanager
def served(home: Path, *, allowed: str) -> Iterator[str]:
    """Serve an empty instance that may fetch from the other one."""
    command(home, "db", "upgrade")
    command(
        home, "user", "create", "bench-admin", "--role", "bureau_admin", "--org", "JL-BUR",
        "--password", PASSWORD,
    )  # fmt: skip
    port = free_port()
    arguments = [sys.executable, "-m", "portal", "run", "--empty", "--port", str(port)]
    with process(arguments, _environment(home, allowed)):
        url = f"http://127.0.0.1:{port}"
        wait_until_up(f"{url}/health")
        yield url


def _environment(home: Path, source: str) -> dict[str, str]:
    return environment(home, XIANGYUN_FETCH_ALLOWED_HOSTS=urlsplit(source).netloc)


def _measure_first(
    home: Path, here: str, source: str, count: int, loading: float, say: Callable[[str], None]
) -> None:
    started = time.perf_counter()
    done = gather(home, source)
    searchable = _until_searchable(here, count, started)
    rate = count / searchable
    say(
        f"first request to searchable: {rate:.0f}/s (aim: {RATE_AIM}), {rate / loading:.2f} of `load`; "
        f"written: {done.rate(count):.0f}/s, {done.cpu_seconds / count * 1000:.1f} ms of CPU a record"
    )
    early, late = done.memory_mb.get(1, 0.0), max(done.memory_mb.values(), default=0.0)
    say(f"memory (PSS) at a quarter {early:.0f} MB, highest {late:.0f} MB (aim: flat)")


def _measure_again(home: Path, source: str, count: int, say: Callable[[str], None]) -> None:
    done = gather(home, source)
    say(
        f"second run, nothing new: {done.rate(count):.0f}/s (aim: {AGAIN_AIM}), "
        f"{done.cpu_seconds / count * 1000:.2f} ms of CPU a record"
    )


def gather(home: Path, source: str) -> Gathered:
    """Run the source to its end.

    Raises:
        RuntimeError: the command failed.
    """
    done = Gathered()
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "portal", "harvest", "run", "city"],
        env=_environment(home, source),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as running:
        first = psutil.Process(running.pid)
        said = ""
        for said in _parts(running):
            _note(done, first, said)
        if running.wait() != 0:
            raise RuntimeError(f"the harvest failed: {said[-500:]}")
    done.seconds = time.perf_counter() - started
    return done


def _parts(running: subprocess.Popen[str]) -> Iterator[str]:
    """Yield what the command says of its progress, each time with its memory still there."""
    assert running.stderr is not None  # a pipe was asked for
    text = ""
    while piece := running.stderr.read(1):
        if piece in "\r\n":
            yield text
            text = ""
        text += piece
    yield text


def _note(done: Gathered, first: psutil.Process, said: str) -> None:
    found = _WRITTEN.search(said)
    try:
        times = first.cpu_times()
        done.cpu_seconds = times.user + times.system + times.children_user + times.children_system
        if found is None:
            return
        quarter = 4 * int(found[1]) // max(1, int(found[2]))
        if quarter and quarter not in done.memory_mb:
            done.memory_mb[quarter] = memory_pss_mb(first)
    except psutil.NoSuchProcess:
        return  # it ended just now


def _until_searchable(here: str, count: int, started: float) -> float:
    """Return the seconds from `started` until a search finds every record."""
    deadline = time.perf_counter() + 600
    while time.perf_counter() < deadline:
        answer = requests.get(f"{here}/api/3/action/package_search?rows=0", timeout=60).json()
        if answer["result"]["count"] >= count:
            return time.perf_counter() - started
        time.sleep(0.1)
    raise RuntimeError("the harvested records were not found in ten minutes")


def _measure_page(here: str, count: int, say: Callable[[str], None]) -> None:
    """Open the report as the administrator does: the whole, its middle, one outcome of it."""
    with requests.Session() as http:
        form = http.get(f"{here}/login", timeout=60).text
        token = _TOKEN.search(form)
        assert token is not None  # every form has one
        given = {"username": "bench-admin", "password": PASSWORD, "csrf_token": token[1]}
        http.post(f"{here}/login", data=given, timeout=60).raise_for_status()
        found = _RUN.findall(http.get(f"{here}/work/sources", timeout=60).text)
        assert found  # both runs stand there
        report = here + max(found, key=lambda path: int(path.rpartition("/")[2]))
        for name, query in (
            ("first page", ""),
            ("page in the middle", f"?page={max(1, count // 200)}"),
            ("one outcome", "?state=unchanged"),
        ):
            times = [_seconds(http, report + query) * 1000 for _ in range(LOOKS)]
            say(
                f"report of {count} rows, {name}: {median(times):.0f} ms, slowest "
                f"{max(times):.0f} ms (aim: {PAGE_AIM_MS})"
            )


def _seconds(http: requests.Session, url: str) -> float:
    started = time.perf_counter()
    http.get(url, timeout=60).raise_for_status()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
