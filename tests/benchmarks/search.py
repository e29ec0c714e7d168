"""The search at two sizes: `python -m tests.benchmarks.search [--count N …] [--home FOLDER]`.

Prints one table. Each size has a data folder of its own; with `--home` they are kept in FOLDER and
used again. What the portal adds to the engine, and how cost grows with the size, are measured in the
same run, so that they hold on any machine.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import orjson
import psutil
import requests

from portal.actor import ANONYMOUS
from portal.codes import code_list
from portal.commands import opened_platform
from portal.platform import Platform
from portal.services.search import search_catalogue
from search.facets import FACETS
from search.request import FacetAsk, SearchRequest
from tests.benchmarks import sample
from tests.benchmarks.hostile import ASKED, Asked
from tests.benchmarks.load import drive
from tests.benchmarks.multiply import count_entries, multiply
from tests.benchmarks.server import command, environment, portal, settle

SIZES = (10_000, 100_000)
LOADED = 10_000  # so many are loaded as people load them; the rest are copies
FIVE = ("organisation", "theme", "tags", "format", "licence")
DIFFERENT = 1_200  # more than any process keeps answers of: each is looked up
FIVE_OVER_HTTP = quote('["organization","groups","tags","res_format","license_id"]')
SEARCHES = 400
CHANGES = 5


@dataclass
class Row:
    what: str
    figure: str
    aim: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        verdict = {True: "met", False: "SHORT", None: ""}[self.met]
        return f"{self.what:58}{self.figure:>16}   {self.aim:14}{verdict}"


class Table:
    """Prints each row at once: a run takes minutes."""

    def head(self, text: str) -> None:
        print(f"\n{text}\n{'-' * 96}", flush=True)

    def row(self, what: str, figure: str, aim: str = "", met: bool | None = None) -> None:
        print(Row(what, figure, aim, met), flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, action="append", help="data sets; may be repeated")
    parser.add_argument("--home", type=Path, help="keeps the data folders, or uses those kept")
    given = parser.parse_args(arguments)
    sizes = sorted(given.count or SIZES)
    with tempfile.TemporaryDirectory(prefix="xiangyun-search-") as folder:
        run(given.home or Path(folder), sizes)


def run(folder: Path, sizes: Sequence[int]) -> None:
    table = Table()
    p95: dict[int, float] = {}
    for size in sizes:
        home = folder / str(size)
        table.head(f"Search, {size:,} data sets, {psutil.cpu_count()} cores")
        prepare(home, size, table)
        measure_rebuild(home, size, table)
        with opened(home) as platform:
            p95[size] = measure_embedded(platform, table)
            engine_ms = measure_engine(platform)
        with portal(home) as (url, first):
            table.row("quality checks of new entries, done after", f"{settle(first):.0f} s")
            measure_http(url, engine_ms, table)
            measure_change(url, home, table)
            measure_hostile(url, table)
    if len(sizes) > 1:
        small, large = sizes[0], sizes[-1]
        ratio = p95[large] / p95[small]
        table.row(f"p95 at {large:,} ÷ p95 at {small:,}", f"{ratio:.1f}", "≤ 3", ratio <= 3)


def prepare(home: Path, size: int, table: Table) -> None:
    """Make the data folder unless it is there."""
    database = home / "xiangyun.db"
    if database.exists():
        command(home, "db", "upgrade")
    if not database.exists() or count_entries(database) < min(size, LOADED):
        home.mkdir(parents=True, exist_ok=True)
        file = home / "sample.jsonl"
        sample.write(file, min(size, LOADED))
        command(home, "db", "upgrade")
        command(home, "user", "create", "bench-admin", "--role", "bureau_admin", "--org", "JL-BUR")
        started = time.perf_counter()
        command(home, "load", str(file))
        seconds = time.perf_counter() - started
        table.row("load into database and index", f"{min(size, LOADED) / seconds:.0f}/s")
    if count_entries(database) < size:
        multiply(database, size)


@contextmanager
def opened(home: Path) -> Iterator[Platform]:
    """The platform of a data folder, in this process."""
    import os

    before = dict(os.environ)
    os.environ.update(environment(home))
    try:
        with opened_platform() as platform:
            yield platform
    finally:
        os.environ.clear()
        os.environ.update(before)


def measure_rebuild(home: Path, size: int, table: Table) -> None:
    """Rebuild by the command, as operators do; memory is that of all its processes together."""
    started = time.perf_counter()
    running = subprocess.Popen(
        [sys.executable, "-m", "portal", "index", "rebuild", "--fresh"],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    most, cpu = 0.0, {}
    first = psutil.Process(running.pid)
    while running.poll() is None:
        most = max(most, _memory_mb(first, cpu))
        time.sleep(0.25)
    seconds = time.perf_counter() - started
    said = running.stdout.read() if running.stdout else ""
    if running.returncode or f"{size} entries" not in said:
        raise RuntimeError(f"index rebuild: {said}")
    rate, cpu_rate = size / seconds, size / max(0.01, sum(cpu.values()))
    table.row(
        "full rebuild, start of the command included", f"{rate:.0f}/s", "≥ 4,000/s", rate >= 4000
    )
    table.row("  the same for each second of one core", f"{cpu_rate:.0f}/s")
    table.row("  memory of all its processes (PSS)", f"{most:.0f} MB", "< 600 MB", most < 600)


def _memory_mb(first: psutil.Process, cpu: dict[int, float]) -> float:
    total = 0.0
    try:
        for one in (first, *first.children(recursive=True)):
            total += one.memory_full_info().pss / 1e6
            times = one.cpu_times()
            cpu[one.pid] = times.user + times.system
    except psutil.Error:
        return total
    return total


def _timed(calls: Sequence[Callable[[], object]]) -> list[float]:
    """Return the milliseconds of each call but the first ones, which warm up."""
    warming = len(sample.QUERIES)
    for call in calls[:warming]:
        call()
    found = []
    for call in calls[warming:]:
        started = time.perf_counter()
        call()
        found.append((time.perf_counter() - started) * 1000)
    return found


def _p95(figures: Sequence[float]) -> float:
    return statistics.quantiles(figures, n=20)[-1]


def queries(count: int) -> list[str]:
    """Return different queries as people type them: a subject with a place, a kind or a word."""
    chance = random.Random(20261124)
    places = [region.name for region in code_list("regions")]
    found: dict[str, None] = dict.fromkeys(sample.QUERIES)
    while len(found) < count:
        subject = chance.choice(sample.SUBJECTS)
        beside = chance.choice(
            (*places, *sample.KINDS, *sample.WORDS, *map(str, range(2010, 2027)))
        )
        found[chance.choice((f"{beside}{subject}", f"{subject} {beside}"))] = None
    return list(found)[:count]


def _requests(facets: Sequence[str]) -> list[SearchRequest]:
    asks = tuple(FacetAsk(name) for name in facets)
    return [SearchRequest(words, facets=asks) for words in queries(SEARCHES)]


def measure_embedded(platform: Platform, table: Table) -> float:
    def search(request: SearchRequest) -> object:
        with platform.database.reading() as session:
            return search_catalogue(session, platform.engine, request, ANONYMOUS)

    took = _timed([lambda r=r: search(r) for r in _requests(list(FACETS))])  # type: ignore[misc]
    p95 = _p95(took)
    median = statistics.median(took)
    table.row("search with all facets, one client, embedded: median", f"{median:.1f} ms")
    table.row("  p95", f"{p95:.1f} ms", "≤ 25 ms", p95 <= 25)
    return p95


def measure_engine(platform: Platform) -> float:
    """Return the median of what the engine itself takes for the queries asked over HTTP."""
    labels = frozenset({"public"})
    engine = platform.engine
    calls = [lambda r=r: engine.search(r, labels) for r in _requests(FIVE)]  # type: ignore[misc]
    return statistics.median(_timed(calls))


def measure_http(url: str, engine_ms: float, table: Table) -> None:
    paths = [
        f"/api/3/action/package_search?q={quote(words)}&rows=20&facet.field={FIVE_OVER_HTTP}"
        for words in queries(DIFFERENT)
    ]
    hot = paths[: len(sample.QUERIES)]
    drive(url, hot, clients=2, seconds=2)
    single, many = drive(url, paths, clients=1), drive(url, paths, clients=8)
    again = drive(url, hot, clients=8)
    added = single.median_ms - engine_ms
    table.row("engine alone, five facets: median", f"{engine_ms:.1f} ms")
    table.row("the same over HTTP: median", f"{single.median_ms:.1f} ms")
    table.row("  what the portal adds", f"{added:.1f} ms", "≤ 3 ms", added <= 3)
    table.row(
        "  8 clients, ever different queries", f"{many.rate:.0f}/s", "≥ 600/s", many.rate >= 600
    )
    table.row(f"  8 clients, {len(hot)} queries again and again", f"{again.rate:.0f}/s")
    failed = single.failed + many.failed + again.failed
    table.row("  failed", str(failed), "0", failed == 0)


def measure_change(url: str, home: Path, table: Table) -> None:
    """Publish changes by the API and wait until each is found."""
    session = requests.Session()
    session.headers["Authorization"] = command(home, "token", "bench-admin")
    slowest = 0.0
    for number in range(CHANGES):
        word = f"改动{time.time_ns() % 10**9}x{number}"
        session.post(
            f"{url}/api/3/action/package_patch",
            json={"id": f"bench-{number:06d}", "title": f"{word}公交线路"},
            timeout=30,
        ).raise_for_status()
        started = time.perf_counter()
        while not _finds(session, url, word):
            if time.perf_counter() - started > 30:
                raise RuntimeError("a change is not found after 30 s")
            time.sleep(0.02)
        slowest = max(slowest, time.perf_counter() - started)
    table.row("a published change is searchable after", f"{slowest:.2f} s", "≤ 1 s", slowest <= 1)


def _finds(session: requests.Session, url: str, word: str) -> bool:
    given = {"q": f'title:"{word}公交线路"', "rows": 1}
    answer = session.get(f"{url}/api/3/action/package_search", params=given, timeout=30)
    results = answer.json()["result"]["results"]
    return bool(results) and word in results[0]["title"]


def measure_hostile(url: str, table: Table) -> None:
    session = requests.Session()
    slowest, worst, broken = 0.0, "", 0
    for asked in ASKED:
        took, status = min(_ask(session, url, asked) for _ in range(2))
        broken += status >= 500
        if took > slowest:
            slowest, worst = took, orjson.dumps(asked).decode()[:40]
    table.row(
        f"slowest of {len(ASKED)} hostile queries", f"{slowest:.0f} ms", "< 200 ms", slowest < 200
    )
    table.row("  it was", worst)
    table.row("  server errors", str(broken), "0", broken == 0)


def _ask(session: requests.Session, url: str, asked: Asked) -> tuple[float, int]:
    started = time.perf_counter()
    answer = session.post(f"{url}/api/3/action/package_search", json=asked, timeout=60)
    return (time.perf_counter() - started) * 1000, answer.status_code


if __name__ == "__main__":
    main()
