"""The gateway over a million rows: `python -m tests.benchmarks.gateway [--rows N]`.

The portal runs as `xiangyun run` does. Each call goes the whole way: key, grant, quota, masking,
count and record. Beside it, in the same run, a bare Flask route answers from an indexed DuckDB file
on the same server, and DuckDB alone answers the same question.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import duckdb
import psutil

from portal.platform import Platform
from tests.benchmarks.bare_duckdb import FILE
from tests.benchmarks.gateway_home import API_CODE, DISTRICTS, Grant, Home, fill, revoke, stop_code
from tests.benchmarks.load import Figures, drive
from tests.benchmarks.search import Table, opened
from tests.benchmarks.server import (
    bare,
    command,
    environment,
    free_port,
    memory_pss_mb,
    portal,
    process,
    wait_until_up,
)

ROWS, GRANTS = 1_000_000, 4
MANY = 16
DIFFERENT = 2_000
PIECE = 1024 * 1024
BARE_QUERIES, GUESSES, WORKERS = 2_000, 150, 4
BASE = f"/data/v1/{API_CODE}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of the table")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="xiangyun-gateway-") as folder:
        run(Path(folder), given.rows)


def run(folder: Path, rows: int = ROWS) -> None:
    table = Table()
    table.head(f"Gateway, {rows:,} rows × 12 columns, {psutil.cpu_count()} cores")
    home = folder / "home"
    home.mkdir(parents=True)
    command(home, "db", "upgrade")
    with opened(home) as platform:
        made = fill(platform, rows, GRANTS + 2)
        file = _bare_file(folder, platform, made)
    query_ms = _bare_query(file, rows, table)
    application = "tests.benchmarks.bare_duckdb:make_app"
    with bare(application, "/row?stop_code=none", **{FILE: str(file)}) as url:
        paths = [f"/row?stop_code={code}" for code in _codes(rows)]
        beside = _driven(url, paths, ())
    with portal(home) as (url, first):
        measure_lookups(url, made, rows, query_ms, beside, table)
        measure_pages(url, made, table)
        measure_stream(url, made, first, table)
    with opened(home) as platform:
        measure_revocation(home, platform, made, table)


def _codes(rows: int) -> list[str]:
    step = max(1, rows // DIFFERENT)
    return [stop_code(number * 7919 % rows) for number in range(0, rows, step)]


def _bare_file(folder: Path, platform: Platform, made: Home) -> Path:
    """The same rows and index in a DuckDB file of its own."""
    file = folder / "bare.duckdb"
    source = platform.storage.local_path(made.table.parquet_sha256)
    with duckdb.connect(str(file)) as connection:
        connection.read_parquet(str(source)).create("rows")
        connection.execute("CREATE UNIQUE INDEX by_code ON rows (stop_code)")
    return file


def _bare_query(file: Path, rows: int, table: Table) -> float:
    """Return the median of DuckDB's own look-up, in ms."""
    took = []
    with duckdb.connect(str(file), read_only=True, config={"threads": 2}) as connection:
        for number in range(BARE_QUERIES):
            started = time.perf_counter()
            connection.execute(
                "SELECT * FROM rows WHERE stop_code = ?", [stop_code(number * 7919 % rows)]
            ).fetchall()
            took.append((time.perf_counter() - started) * 1000)
    median = statistics.median(took)
    table.row("DuckDB alone, a row by its key: median", f"{median:.2f} ms")
    return median


def _driven(url: str, paths: Sequence[str], secrets: Sequence[str]) -> tuple[Figures, Figures]:
    """Return the figures of one client and of many, after some calls that warm up."""
    drive(url, paths, clients=4, seconds=3, credentials=secrets)
    return (
        drive(url, paths, clients=1, credentials=secrets),
        drive(url, paths, clients=MANY, credentials=secrets),
    )


def measure_lookups(
    url: str,
    made: Home,
    rows: int,
    query_ms: float,
    beside: tuple[Figures, Figures],
    table: Table,
) -> None:
    paths = [f"{BASE}/rows?stop_code={code}" for code in _codes(rows)]
    one, many = _driven(url, paths, _secrets(made))
    added = one.median_ms - query_ms
    table.row("bare Flask and DuckDB, one client: median / p95", _pair(beside[0]))
    table.row("the gateway, one client: median / p95", _pair(one), "p95 ≤ 10 ms", one.p95_ms <= 10)
    table.row("  added to DuckDB's own median", f"{added:.2f} ms", "≤ 3 ms", added <= 3)
    table.row(f"bare Flask and DuckDB, {MANY} clients", f"{beside[1].rate:.0f}/s")
    table.row(f"the gateway, {MANY} clients", f"{many.rate:.0f}/s", "≥ 800/s", many.rate >= 800)
    table.row("  its share of the bare route's rate", f"{many.rate / beside[1].rate:.0%}")
    _failed(table, one, many)


def measure_pages(url: str, made: Home, table: Table) -> None:
    """Pages of 100 rows of a district above a number of passengers, with their total."""

    def paths(numbers: range) -> list[str]:
        return [
            f"{BASE}/rows?district={quote(DISTRICTS[number % len(DISTRICTS)])}"
            f"&daily_passengers__ge={number * 31 % 90_000}&limit=100"
            for number in numbers
        ]

    one, many = _driven(url, paths(range(100)), _secrets(made))
    table.row("a filtered page of 100 rows, one client: median / p95", _pair(one))
    table.row(
        f"  {MANY} clients, 100 filters in turn", f"{many.rate:.0f}/s", "≥ 300/s", many.rate >= 300
    )
    other = drive(url, paths(range(100, 100 + DIFFERENT)), clients=MANY, credentials=_secrets(made))
    table.row(f"  {MANY} clients, ever different filters", f"{other.rate:.0f}/s")
    _failed(table, one, many, other)


def measure_stream(url: str, made: Home, first: psutil.Process, table: Table) -> None:
    """All rows as NDJSON, one column of them masked."""
    idle = memory_pss_mb(first)
    with _highest(lambda: memory_pss_mb(first)) as highest:
        started = time.perf_counter()
        size, last = _read_all(url, made.grants[0].secret)
        seconds = time.perf_counter() - started
    rate, more = size / 1e6 / seconds, max(highest) - idle
    table.row(f"NDJSON of all rows, {size / 1e6:.0f} MB", f"{rate:.0f} MB/s", "≥ 100", rate >= 100)
    table.row("  memory of all processes beyond idle", f"{more:.0f} MB", "< 200 MB", more < 200)
    if not last.endswith(b"}\n"):
        raise RuntimeError("the stream was broken off")


def _read_all(url: str, secret: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    headers = {"Authorization": f"Bearer {secret}"}
    connection.request("GET", f"{BASE}/rows?format=ndjson", headers=headers)
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"the export was refused: {answer.status} {answer.read()[:300]!r}")
    size, last = 0, b""
    while piece := answer.read(PIECE):
        size, last = size + len(piece), piece
    connection.close()
    return size, last


@contextmanager
def _highest(measure: Callable[[], float]) -> Iterator[list[float]]:
    found, done = [measure()], threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            found.append(measure())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()


def measure_revocation(home: Path, platform: Platform, made: Home, table: Table) -> None:
    """Revoke on four workers, and ask over ever new connections until nobody answers."""
    port = free_port()
    arguments = [
        sys.executable, "-m", "portal", "serve", "--port", str(port), "--workers", str(WORKERS),
    ]  # fmt: skip
    with process(arguments, environment(home)):
        url = f"http://127.0.0.1:{port}"
        wait_until_up(f"{url}/health")
        revoked, disabled = made.grants[-1], made.grants[-2]
        for _ in range(4 * WORKERS):
            if _status(url, revoked) != 200:
                raise RuntimeError("the grant does not open the interface")
        revoke(platform, revoked)
        started, last = time.perf_counter(), 0.0
        while (passed := time.perf_counter() - started) < 2:
            if _status(url, revoked) == 200:
                last = passed
        table.row(
            f"revocation to refusal on {WORKERS} workers", f"{last:.3f} s", "≤ 1 s", last <= 1
        )
        revoke(platform, disabled)
        measure_guesses(url, made.grants[0], disabled, table)


def measure_guesses(url: str, working: Grant, disabled: Grant, table: Table) -> None:
    """How long the refusals of unknown, wrong and disabled credentials take, asked in turn."""
    wrong = "xyk_" + "A" * 43
    kinds = {
        "unknown": ("SQ99999999", wrong),
        "wrong": (working.client_id, wrong),
        "disabled": (disabled.client_id, disabled.secret),
    }
    took: dict[str, list[float]] = {name: [] for name in kinds}
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    for _ in range(GUESSES):
        for name, pair in kinds.items():
            started = time.perf_counter()
            if _token_status(connection, *pair) != 401:
                raise RuntimeError(f"{name} credentials were not refused")
            took[name].append((time.perf_counter() - started) * 1000)
    connection.close()
    medians = {name: statistics.median(one) for name, one in took.items()}
    text = ", ".join(f"{name} {ms:.2f}" for name, ms in medians.items())
    spread = max(medians.values()) - min(medians.values())
    noise = statistics.quantiles(took["unknown"], n=4)
    table.row("refusals: spread of the medians", f"{spread:.2f} ms")
    table.row(f"  medians in ms: {text}", f"quartiles {noise[0]:.2f}-{noise[2]:.2f}")


def _status(url: str, grant: Grant) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    headers = {"Authorization": f"Bearer {grant.secret}", "Connection": "close"}
    connection.request("GET", f"{BASE}/rows?stop_code={stop_code(1)}", headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def _token_status(connection: http.client.HTTPConnection, client_id: str, secret: str) -> int:
    basic = b64encode(f"{client_id}:{secret}".encode()).decode()
    headers = {
        "Authorization": f"Basic {basic}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    connection.request("POST", "/oauth/token", "grant_type=client_credentials", headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _secrets(made: Home) -> list[str]:
    return [grant.secret for grant in made.grants[:GRANTS]]


def _pair(figures: Figures) -> str:
    return f"{figures.median_ms:.1f} / {figures.p95_ms:.1f} ms"


def _failed(table: Table, *figures: Figures) -> None:
    failed = sum(one.failed for one in figures)
    table.row("  failed", str(failed), "0", failed == 0)


if __name__ == "__main__":
    main()
