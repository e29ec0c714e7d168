"""`ckanapi dump` with two workers, against the portal and against a stub that answers from memory:
`python -m tests.benchmarks.dump [--count N] [--home FOLDER]`.

The stub gives the same list of names and, for every name, the same bytes of one package, on the same
server with as many processes: what it reaches is the client's own rate on this machine. Both take
turns, so that a machine that slows down slows both; the better round of each counts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests

from tests.benchmarks import sample
from tests.benchmarks.multiply import count_entries, multiply
from tests.benchmarks.server import (
    command,
    environment,
    free_port,
    portal,
    process,
    wait_until_up,
)

COUNT, LOADED = 5_000, 1_000
WORKERS, ROUNDS = 2, 2
AIM = 0.6
CKANAPI = Path(sys.executable).with_name("ckanapi")
NAMES_FILE, BODY_FILE = "names.json", "package.json"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="data sets in the catalogue")
    parser.add_argument("--home", type=Path, help="keeps the data folder, or uses one that is kept")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="xiangyun-dump-") as folder:
        run(Path(folder), given.home or Path(folder) / "home", given.count)


def run(folder: Path, home: Path, count: int, say: Callable[[str], None] = print) -> float:
    """Measure, print, and return the portal's rate as a share of the stub's."""
    prepare(home, count)
    rates = {"stub": 0.0, "portal": 0.0}
    costs = {"stub": 0.0, "portal": 0.0}
    with portal(home) as (url, first):
        keep_answers(url, folder)
        with stub(folder) as (stub_url, stub_first):
            for _ in range(ROUNDS):
                for name, address, server in (
                    ("stub", stub_url, stub_first),
                    ("portal", url, first),
                ):
                    rate, cost = dump(address, folder / f"{name}.jsonl", server, count)
                    if rate > rates[name]:
                        rates[name], costs[name] = rate, cost
    share = rates["portal"] / rates["stub"]
    say(f"ckanapi dump, {count:,} data sets, {WORKERS} workers, {psutil.cpu_count()} cores")
    for name, rate in rates.items():
        say(
            f"  {name:8}{rate:8.0f} data sets a second{costs[name]:10.2f} ms CPU of the server each"
        )
    verdict = "met" if share >= AIM else "SHORT"
    say(f"  portal ÷ stub: {share:.0%} (aim: {AIM:.0%}) {verdict}")
    return share


def prepare(home: Path, count: int) -> None:
    """Make the data folder unless it is there: some loaded as people load them, the rest copies."""
    database = home / "xiangyun.db"
    home.mkdir(parents=True, exist_ok=True)
    command(home, "db", "upgrade")
    if count_entries(database) < min(count, LOADED):
        file = home / "sample.jsonl"
        sample.write(file, min(count, LOADED))
        command(home, "load", str(file))
    if count_entries(database) < count:
        multiply(database, count)


def keep_answers(url: str, folder: Path) -> None:
    """Keep what the stub is to say: the list as it is, and the package of middling size."""
    listed = requests.get(f"{url}/api/3/action/package_list", timeout=120)
    (folder / NAMES_FILE).write_bytes(listed.content)
    names = listed.json()["result"]
    some = names[:: max(1, len(names) // 31)]
    shown = [
        requests.get(f"{url}/api/3/action/package_show", {"id": one}, timeout=60).content
        for one in some
    ]
    (folder / BODY_FILE).write_bytes(sorted(shown, key=len)[len(shown) // 2])


def make_stub() -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """The stub, a bare WSGI application; the folder of its answers stands in its environment."""
    folder = Path(os.environ["DUMP_STUB"])
    listed, shown = (folder / NAMES_FILE).read_bytes(), (folder / BODY_FILE).read_bytes()

    def application(request: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request["wsgi.input"].read()
        body = listed if request["PATH_INFO"].endswith("package_list") else shown
        start_response(
            "200 OK",
            [
                ("Content-Type", "application/json;charset=utf-8"),
                ("Content-Length", str(len(body))),
            ],
        )
        return [body]

    return application


@contextmanager
def stub(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    port = free_port()
    arguments = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--workers", "2",
        "--blocking-threads", "8", "--port", str(port), "tests.benchmarks.dump:make_stub",
    ]  # fmt: skip
    with process(arguments, environment(folder, DUMP_STUB=str(folder))) as first:
        url = f"http://127.0.0.1:{port}"
        wait_until_up(f"{url}/package_show")
        yield url, first


def dump(url: str, file: Path, server: psutil.Process, count: int) -> tuple[float, float]:
    """Run the real command; return data sets a second, and ms of the server's CPU for each."""
    arguments = ["dump", "datasets", "--all", "-q", "-p", str(WORKERS), "-O", str(file), "-r", url]
    path = f"{CKANAPI.parent}{os.pathsep}{os.environ['PATH']}"
    before, started = cpu_seconds(server), time.perf_counter()
    subprocess.run(
        [str(CKANAPI), *arguments],
        check=True,
        capture_output=True,
        env={**os.environ, "PATH": path},
    )
    seconds, cpu = time.perf_counter() - started, cpu_seconds(server) - before
    with file.open("rb") as lines:
        written = sum(1 for line in lines if "id" in json.loads(line))
    if written != count:
        raise RuntimeError(f"{url}: {written} of {count} data sets in the dump")
    return count / seconds, 1000 * cpu / count


def cpu_seconds(first: psutil.Process) -> float:
    times = [one.cpu_times() for one in (first, *first.children(recursive=True))]
    return sum(one.user + one.system for one in times)


if __name__ == "__main__":
    main()
