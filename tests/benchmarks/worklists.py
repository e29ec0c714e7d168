"""The work pages beside a large catalogue: `python -m tests.benchmarks.worklists [--count N] [--home FOLDER]`.

50,000 published data sets with their clocks and open lists, 300 submitted versions that wait for the
Bureau, 300 things that wait for one agency; then a list of 2,000 rows is checked as a clerk sends it
in. A bare Flask application is asked in the same run, in the same manner, so that the figures can be
read on any machine. With `--home` the data folder is kept and used again.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests
from sqlalchemy import func, select

from portal.codes import all_code_names
from portal.models.index_request import IndexRequest
from portal.models.organisation import get_organisation
from portal.platform import Platform
from portal.services.content import content_json
from portal.services.list_export import write_filled
from tests.benchmarks import sample
from tests.benchmarks.agency_work import Waiting, fill
from tests.benchmarks.multiply import count_entries, multiply
from tests.benchmarks.search import opened
from tests.benchmarks.server import bare, command, portal
from tests.factories import PASSWORD, TRANSPORT, content

COUNT, LOADED = 50_000, 2_000
ASKED = 80
AIM_MS, AIM_SECONDS = 150, 20
LIST_ROWS = 2_000
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True)
class Row:
    """How soon a page answers one reader, in ms."""

    name: str
    times: list[float]
    aim: int | None = AIM_MS

    def __str__(self) -> str:
        p95 = percentile(self.times)
        verdict = "" if self.aim is None else "met" if p95 <= self.aim else "SHORT"
        aim = f"≤ {self.aim} ms" if self.aim else ""
        return (
            f"  {self.name:44}{statistics.median(self.times):8.1f} /{p95:7.1f}   {aim:10}{verdict}"
        )


def percentile(times: Sequence[float]) -> float:
    return sorted(times)[max(0, round(0.95 * len(times)) - 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="published data sets")
    parser.add_argument("--home", type=Path, help="a data folder to keep and use again")
    arguments = parser.parse_args()
    if arguments.home:
        run(arguments.home, arguments.count)
        return
    with tempfile.TemporaryDirectory(prefix="xiangyun-worklists-") as folder:
        run(Path(folder), arguments.count)


def run(home: Path, count: int = COUNT, say: Callable[[str], None] = print) -> None:
    """Make the sample, ask for the pages, check a list, and say the figures."""
    started = time.perf_counter()
    waiting = prepare(home, count)
    say(
        f"work pages: {count:,} data sets, {len(waiting.submitted)} submitted versions, "
        f"{waiting.agency} things to do for one agency (made in {time.perf_counter() - started:.0f} s)"
    )
    say(f"  {'one reader, median / p95 ms':44}")
    say(str(Row("bare Flask application", ask_bare(), None)))
    with portal(home) as (url, _first):
        wait_until_indexed(home)
        for row in pages(url, waiting):
            say(str(row))
        say(check_list(url, waiting.clerk, list_of_rows(home)))


def prepare(home: Path, count: int) -> Waiting:
    """Load some data sets as people load them, copy them, and let people leave work undone."""
    database = home / "xiangyun.db"
    if not database.exists():
        home.mkdir(parents=True, exist_ok=True)
        file = home / "sample.jsonl"
        sample.write(file, min(count, LOADED))
        command(home, "db", "upgrade")
        command(home, "user", "create", "bench-admin", "--role", "bureau_admin", "--org", "JL-BUR")
        command(home, "load", str(file))
    if count_entries(database) < count:
        multiply(database, count)
        command(home, "index", "rebuild", "--fresh")
    with opened(home) as platform:
        return fill(platform, database)


def wait_until_indexed(home: Path) -> None:
    """Let the worker take what was just submitted: it would be measured as well."""
    with opened(home) as platform:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and _behind(platform):
            time.sleep(0.5)


def _behind(platform: Platform) -> bool:
    with platform.database.reading() as session:
        return bool(session.scalar(select(func.count(IndexRequest.entry_id))))


def ask_bare() -> list[float]:
    with bare("tests.benchmarks.bare:make_app") as url:
        return timed(requests.Session(), url, ["/"])


def pages(url: str, waiting: Waiting) -> list[Row]:
    reviewer, clerk = signed_in(url, waiting.reviewer), signed_in(url, waiting.clerk)
    versions = [f"/work/versions/{one}" for one in waiting.submitted[:ASKED]]
    wanted = [
        ("agency: work list", clerk, ["/work"], AIM_MS),
        ("agency: one kind of it", clerk, ["/work?kind=draft"], AIM_MS),
        ("agency: its catalogue", clerk, ["/work/entries"], AIM_MS),
        ("agency: update calendar", clerk, ["/work/freshness"], None),
        ("Bureau: work list", reviewer, ["/work"], AIM_MS),
        ("Bureau: list of reviews, six pages", reviewer, _numbered("/work/review", 6), AIM_MS),
        ("Bureau: review of one version, each another", reviewer, versions, AIM_MS),
        ("Bureau: overview by organisation", reviewer, ["/work/overview"], None),
        ("Bureau: overview by theme", reviewer, ["/work/overview?by=theme"], None),
        ("Bureau: deadlines behind a number", reviewer, ["/work/duties/deadlines"], None),
    ]
    return [Row(name, timed(who, url, paths), aim) for name, who, paths, aim in wanted]


def _numbered(path: str, count: int) -> list[str]:
    return [f"{path}?page={number}" for number in range(1, count + 1)]


def signed_in(url: str, username: str) -> requests.Session:
    session = requests.Session()
    page = session.get(f"{url}/login", timeout=30)
    data = {"username": username, "password": PASSWORD, "csrf_token": token_of(page)}
    session.post(f"{url}/login", data=data, timeout=30).raise_for_status()
    return session


def token_of(page: requests.Response) -> str:
    found = TOKEN.search(page.text)
    if found is None:
        raise RuntimeError(f"{page.url} has no form")
    return found[1]


def timed(session: requests.Session, url: str, paths: Sequence[str]) -> list[float]:
    """Ask for the paths in turn, ASKED times after a few to warm up; return milliseconds."""
    times = []
    for number in range(-6, ASKED):
        started = time.perf_counter()
        answer = session.get(url + paths[number % len(paths)], timeout=60, allow_redirects=False)
        if answer.status_code != 200:
            raise RuntimeError(f"{answer.url}: {answer.status_code}")
        if number >= 0:
            times.append((time.perf_counter() - started) * 1000)
    return times


def list_of_rows(home: Path) -> bytes:
    """Return an XLSX with LIST_ROWS new entries of an agency, three information items each."""
    with opened(home) as platform, platform.database.reading() as session:
        provider = get_organisation(session, TRANSPORT).name
    records = (
        {
            **content_json(content(title=f"全省道路运输经营户名录第{number}册")),
            "provider_name": provider,
            "responsible_dept": TRANSPORT,
        }
        for number in range(LIST_ROWS)
    )
    return write_filled(all_code_names(), records)


def check_list(url: str, clerk: str, sheet: bytes) -> str:
    """Send the list in and watch its check as the page does; return what was seen."""
    session = signed_in(url, clerk)
    token = token_of(session.get(f"{url}/work/import", timeout=30))
    started = time.perf_counter()
    answer = session.post(
        f"{url}/work/import",
        data={"csrf_token": token, "provider": TRANSPORT},
        files={"file": ("清单.xlsx", sheet)},
        timeout=60,
    )
    answer.raise_for_status()
    if "/work/import/checks/" not in answer.url:
        raise RuntimeError(f"the list is not being checked: {answer.url}")
    seen, state = set(), {"stage": "waiting", "done": 0, "total": 0}
    while state["stage"] in ("waiting", "checking") and time.perf_counter() - started < 120:
        time.sleep(0.1)
        state = session.get(f"{answer.url}/state", timeout=30).json()
        seen.add(state["done"])
    seconds = time.perf_counter() - started
    verdict = "met" if seconds < AIM_SECONDS and state["stage"] == "done" else "SHORT"
    return (
        f"  check of an XLSX list of {state['total']:,} entries: {seconds:.1f} s, {state['stage']}, "
        f"progress seen {len(seen)} times   < {AIM_SECONDS} s   {verdict}"
    )


if __name__ == "__main__":
    main()
