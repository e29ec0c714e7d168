"""Runs every benchmark and prints one table; `--count` sets the size of the sample.

The peer is CKAN 2.12 with 2,000 data sets on a machine of this kind (docs/benchmarks.md names the
source of its figures); machines differ, so a bare Flask application on the same server is measured
in the same run, and each rate is also given as a share of its rate.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import requests

from tests.benchmarks import downloads, exports, gateway, pages, sample, search, tables, worklists
from tests.benchmarks.load import Figures, drive
from tests.benchmarks.server import (
    bare,
    command,
    memory_pss_mb,
    portal,
    settle,
)

FACETS = quote(json.dumps(["organization", "groups", "tags", "res_format", "license_id"]))
BIG_FILE_BYTES = 1024 * 1024 * 1024
CREATES = 200


@dataclass(frozen=True)
class Peer:
    """CKAN 2.12's figures: p95 in ms with one client, requests a second with eight."""

    p95_ms: float
    rate: float


PEERS = {
    "package_search, 5 facets": Peer(17, 138),
    "  ever different queries": Peer(17, 138),
    "package_show": Peer(12, 261),
    "search page": Peer(47, 46),
    "dataset page": Peer(63, 34),
    "home page": Peer(61, 24),
}
PEER_CREATE_RATE, PEER_LOAD_RATE = 31, 19


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="data sets in the sample")
    parser.add_argument("--rows", type=int, default=exports.ROWS, help="rows of the table exported")
    parser.add_argument(
        "--search-count", type=int, action="append", help="data sets searched; may be repeated"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="xiangyun-bench-") as folder:
        run(Path(folder), arguments.count)
        search.run(Path(folder) / "search", sorted(arguments.search_count or search.SIZES))
        worklists.run(Path(folder) / "worklists", say=say)
        gateway.run(Path(folder) / "gateway", arguments.rows)
        exports.run(Path(folder) / "exports", arguments.rows, say=say)
        tables.run(Path(folder) / "tables", arguments.rows, tables.SHEET_ROWS, say=say)


def run(folder: Path, count: int) -> None:
    home = folder / "home"
    say(f"{count} data sets, {psutil.cpu_count()} cores, Python {sys.version.split()[0]}")
    bare_rate = measure_bare()
    say(f"bare Flask on the same server: {bare_rate:.0f} requests a second with 8 clients")
    measure_load(folder, home, count)
    token = make_token(home)
    with portal(home) as (url, first):
        say(
            f"quality checks of what was loaded, beside the portal: done after {settle(first):.0f} s"
        )
        measure_reads(url, count, bare_rate)
        measure_creates(url, token)
        measure_pages(url)
        say(f"memory of the process group (PSS): {memory_pss_mb(first):.0f} MB (aim: below 600)")
        measure_downloads(folder, home, url, token)


def measure_pages(url: str) -> None:
    """How soon citizens see a page on a slow telephone."""
    listed = requests.get(f"{url}/api/3/action/package_list?limit=1", timeout=30).json()
    paths = {"home": "/", "results": "/dataset", "data set": f"/dataset/{listed['result'][0]}"}
    pages.say(pages.measure({name: url + path for name, path in paths.items()}))


def say(text: str) -> None:
    print(text, flush=True)


def measure_bare() -> float:
    with bare("tests.benchmarks.bare:make_app") as url:
        return drive(url, ["/"], clients=8).rate


def measure_load(folder: Path, home: Path, count: int) -> None:
    file = folder / "sample.jsonl"
    sample.write(file, count)
    command(home, "db", "upgrade")
    command(home, "user", "create", "bench-admin", "--role", "bureau_admin", "--org", "JL-BUR")
    started = time.perf_counter()
    command(home, "load", str(file))
    rate = count / (time.perf_counter() - started)
    say(
        f"load into database and index: {rate:.0f} data sets a second "
        f"({rate / PEER_LOAD_RATE:.1f} × CKAN; aim: 300)"
    )
    say(f"index check: {command(home, 'index', 'check')}")


def make_token(home: Path) -> str:
    return command(home, "token", "bench-admin")


def measure_reads(url: str, count: int, bare_rate: float) -> None:
    names = [f"bench-{number:06d}" for number in range(0, count, max(1, count // 200))]
    words = [quote(word) for word in sample.QUERIES]
    paths = {
        "package_search, 5 facets": [
            f"/api/3/action/package_search?q={word}&rows=20&facet.field={FACETS}" for word in words
        ],
        "  ever different queries": [
            f"/api/3/action/package_search?q={quote(words)}&rows=20&facet.field={FACETS}"
            for words in search.queries(search.DIFFERENT)
        ],
        "package_show": [f"/api/3/action/package_show?id={name}" for name in names],
        "search page": [f"/dataset?q={word}" for word in words],
        "dataset page": [f"/dataset/{name}" for name in names],
        "home page": ["/"],
    }
    say(
        f"{'':26}{'c1 median/p95 ms':>20}{'c8 req/s':>10}{'× CKAN':>8}{'p95 ÷ CKAN':>12}{'of bare':>9}"
    )
    for name, given in paths.items():
        drive(url, given, clients=2, seconds=1)
        single, many = drive(url, given, clients=1), drive(url, given, clients=8)
        say(_row(name, single, many, bare_rate))


def _row(name: str, single: Figures, many: Figures, bare_rate: float) -> str:
    peer = PEERS[name]
    failed = f"  {single.failed + many.failed} failed" if single.failed + many.failed else ""
    return (
        f"{name:26}{single.median_ms:>11.1f} / {single.p95_ms:<6.1f}{many.rate:>10.0f}"
        f"{many.rate / peer.rate:>8.1f}{single.p95_ms / peer.p95_ms:>12.2f}"
        f"{many.rate / bare_rate:>9.2f}{failed}"
    )


def measure_creates(url: str, token: str) -> None:
    made = list(sample.packages(2 * CREATES, seed=7))
    for number, package in enumerate(made):
        package["name"] = f"created-{number}"
    for clients, packages in ((1, made[:CREATES]), (8, made[CREATES:])):
        rate = _create_all(url, token, packages, clients)
        say(
            f"package_create, {clients} client{'s' * (clients > 1)}: {rate:.0f} a second "
            f"({rate / PEER_CREATE_RATE:.1f} × CKAN's with 8)"
        )


def _create_all(url: str, token: str, packages: list[dict[str, object]], clients: int) -> float:
    """Create every package, shared out among so many clients; return how many a second."""

    def create(some: list[dict[str, object]]) -> None:
        with requests.Session() as session:
            session.headers["Authorization"] = token
            for package in some:
                answer = session.post(
                    f"{url}/api/3/action/package_create", json=package, timeout=60
                )
                answer.raise_for_status()

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(create, [packages[n::clients] for n in range(clients)]))
    return len(packages) / (time.perf_counter() - started)


def measure_downloads(folder: Path, home: Path, url: str, token: str) -> None:
    root = folder / "root"
    root.mkdir()
    big = root / "big.bin"
    with big.open("wb") as file:
        for _ in range(BIG_FILE_BYTES // (1024 * 1024)):
            file.write(b"\x5a" * 1024 * 1024)
    with big.open("rb") as file:
        answer = requests.post(
            f"{url}/api/3/action/resource_create",
            data={"package_id": "bench-000000", "name": "big"},
            files={"upload": ("大文件.bin", file)},
            headers={"Authorization": token},
            timeout=120,
        )
    answer.raise_for_status()
    address = answer.json()["result"]["url"]
    path = "/" + address.split("/", 3)[3]
    with downloads.nginx(folder / "nginx", root) as nginx_url:
        for words, start in (("1 GB", 0), ("its second half, by Range", BIG_FILE_BYTES // 2)):
            ours, theirs = downloads.speeds_mb([url + path, f"{nginx_url}/big.bin"], start=start)
            share = f"{ours / theirs:.0%} (aim: 70 %)"
            say(f"download of {words}: {ours:.0f} MB/s, nginx {theirs:.0f} MB/s: {share}")
    alone = downloads.answer_seconds(url + "/dataset")
    with downloads.slow_readers(url, path):
        beside = downloads.answer_seconds(url + "/dataset")
    say(
        f"slowest search page: {alone * 1000:.0f} ms alone, {beside * 1000:.0f} ms beside "
        f"{downloads.SLOW_READERS} readers that do not read"
    )


if __name__ == "__main__":
    main()
