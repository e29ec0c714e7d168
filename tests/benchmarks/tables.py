"""How fast tables come in and answer; `python -m tests.benchmarks.tables --count 200000`.

The same rows go into PostgreSQL (no index) in the same run; CPU time is given beside the time on the
clock: on a shared machine only the first one is steady.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import psutil
import psycopg
from sqlalchemy import make_url

from portal.storage import LocalStorage
from portal.tables.cache import TableCache
from portal.tables.groups import GroupQuery
from portal.tables.info import TableInfo
from portal.tables.profile import make_profile
from portal.tables.query import Filter, TableQuery
from portal.tables.reader import read_table
from portal.tables.store import build_table
from tests.benchmarks.exports import SAMPLE, highest_memory
from tests.services.nodes import PostgresqlNode

ROWS, SHEET_ROWS, SHEET_COLUMNS = 1_000_000, 200_000, 12
REPEATS = 30
MB_A_SECOND, FIRST_MS, SORTED_MS, SHEET_SECONDS, MEMORY_MB = 50, 100, 400, 5, 400
# What the last column of the sample must be typed as, to show that each value was looked at.
TYPES = ("text", "text", "text", "text", "date", "datetime", "integer", "number", "number", "number",
         "text", "text", "text", "integer", "text")  # fmt: skip

Say = Callable[[str], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=ROWS, help="rows of the table")
    parser.add_argument("--sheet", type=int, default=SHEET_ROWS, help="rows of the workbook")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="xiangyun-bench-") as folder:
        run(
            Path(folder) / "tables",
            arguments.count,
            arguments.sheet,
            say=lambda text: print(text, flush=True),
        )


def run(folder: Path, count: int, sheet: int, *, say: Say) -> None:
    """Measure reading, the first page, questions, and PostgreSQL with the same rows."""
    folder.mkdir()
    source = folder / "sample.csv"
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY ({SAMPLE.format(count=count)}) TO '{source}' (FORMAT csv, HEADER)"
        )
    storage = LocalStorage(folder / "store")
    with read_table(str(_small(folder)), filename="small.csv") as small:
        build_table(small, storage)  # what is loaded once (pinyin) is loaded
    info = measure_reading(source, storage, say)
    cache = TableCache(folder / "native", storage)
    measure_questions(cache, info, say)
    measure_postgresql(folder, cache, info, source, say)
    cache.close()
    measure_workbook(folder, sheet, say)


def measure_reading(source: Path, storage: LocalStorage, say: Say) -> TableInfo:
    size = source.stat().st_size / 1e6
    process = psutil.Process()
    before = process.memory_info().rss
    with highest_memory(process) as highest:
        started, cpu = time.perf_counter(), time.process_time()
        with read_table(str(source), filename=source.name) as parsed:
            info = build_table(parsed, storage)
        seconds, used = time.perf_counter() - started, time.process_time() - cpu
        make_profile(Path(storage.local_path(info.parquet_sha256)), info)
        profile = time.perf_counter() - started - seconds
    types = tuple(column.type.value for column in info.columns)
    say(
        f"CSV to Parquet, {info.row_count} rows × {len(info.columns)} columns, {size:.0f} MB:"
        f" {seconds:.1f} s, {size / seconds:.0f} MB/s (aim: {MB_A_SECOND}),"
        f" {used:.1f} s of CPU; types {'verified' if types == TYPES else f'WRONG: {types}'};"
        f" histograms of all columns {profile:.1f} s more"
    )
    say(
        f"memory beyond idle while reading: {(highest[0] - before) / 1e6:.0f} MB (aim: {MEMORY_MB})"
    )
    return info


def measure_questions(cache: TableCache, info: TableInfo, say: Say) -> None:
    last = info.columns[-2].field_name
    say(f"{'':34}{'median ms':>10}{'p95 ms':>8}")
    first = timed(lambda n: cache.run(info, TableQuery(limit=20, offset=n)))
    say(_row(f"first preview, new (aim: {FIRST_MS})", first))
    started = time.perf_counter()
    cache.warm(info)
    say(
        f"native file for questions, made once by the worker: {time.perf_counter() - started:.1f} s"
    )
    numbers = [column.field_name for column in info.columns if column.type == "number"]
    questions = {
        f"a page, later (aim: {FIRST_MS})": lambda n: cache.run(
            info, TableQuery(limit=20, offset=n)
        ),
        f"filter and sort (aim: {SORTED_MS})": lambda n: cache.run(info, filtered(info, n)),
        "word in any column": lambda n: cache.run(info, TableQuery(q=f"第{n}号", limit=20)),
        "one row by its key": lambda n: cache.run(
            info, TableQuery(filters=[Filter(last, "eq", str(3 * n))])
        ),
        "grouped sum": lambda n: cache.groups(
            info, TableQuery(), GroupQuery(info.columns[2].field_name, "sum", numbers[n % 3])
        ),
    }
    for name, ask in questions.items():
        say(_row(name, timed(ask)))


def filtered(info: TableInfo, number: int) -> TableQuery:
    """Rows of one city above an amount, by name downwards."""
    names = [column.field_name for column in info.columns]
    return TableQuery(
        filters=[Filter(names[2], "eq", "长春市"), Filter(names[7], "gt", str(number * 1000))],
        sort=[(names[7], True), (names[1], False)],
        limit=100,
    )


def measure_postgresql(
    folder: Path, cache: TableCache, info: TableInfo, source: Path, say: Say
) -> None:
    """Ask the same of PostgreSQL over the same rows without an index: what `datastore_search` asks."""
    names = [column.field_name for column in info.columns]
    kinds = {"integer": "bigint", "number": "numeric", "date": "date", "datetime": "timestamp"}
    columns = ", ".join(f"{c.field_name} {kinds.get(c.type.value, 'text')}" for c in info.columns)
    for one in (folder, folder.parent):
        one.chmod(0o755)  # PostgreSQL runs as another user, inside this folder
    node = PostgresqlNode(folder / "postgresql")
    node.start()
    try:
        address = make_url(node.url).set(drivername="postgresql")
        with psycopg.connect(address.render_as_string(hide_password=False)) as connection:
            connection.execute(f"CREATE TABLE rows ({columns})")
            load = "COPY rows FROM STDIN (FORMAT csv, HEADER)"
            with connection.cursor().copy(load) as copy, source.open("rb") as file:
                while piece := file.read(1024 * 1024):
                    copy.write(piece)
            connection.commit()
            connection.autocommit = True
            connection.execute("VACUUM ANALYZE rows")
            where = f"WHERE {names[2]} = '长春市' AND {names[7]} > %s"
            page = f"SELECT * FROM rows {where} ORDER BY {names[7]} DESC, {names[1]} LIMIT 100"

            def ask(n: int) -> None:
                connection.execute(page, [n * 1000]).fetchall()
                connection.execute(f"SELECT count(*) FROM rows {where}", [n * 1000]).fetchone()

            theirs = timed(ask)
    finally:
        node.stop()
    ours = timed(lambda n: cache.run(info, filtered(info, n)))
    say(_row("PostgreSQL, filter, sort, count", theirs))
    say(_row("the same here", ours))
    ratio = statistics.median(theirs) / statistics.median(ours)
    say(f"filter and sort: {ratio:.1f} × the speed of PostgreSQL without an index (aim: above 1)")


def measure_workbook(folder: Path, count: int, say: Say) -> None:
    """Read a workbook; the package rustpy-xlsxwriter writes it."""
    from rustpy_xlsxwriter import write_worksheet

    path = folder / "sample.xlsx"
    with duckdb.connect() as connection:
        cursor = connection.execute(SAMPLE.format(count=count))
        names = [one[0] for one in cursor.description][:SHEET_COLUMNS]
        records = [dict(zip(names, row, strict=False)) for row in cursor.fetchall()]
    for record in records:
        record |= {name: str(value) for name, value in record.items() if hasattr(value, "as_tuple")}
    write_worksheet(records, str(path), sheet_name="数据")
    del records
    process = psutil.Process()
    before = process.memory_info().rss
    with highest_memory(process) as highest:
        started, cpu = time.perf_counter(), time.process_time()
        with read_table(str(path), filename=path.name) as parsed:
            rows = parsed.row_count
        seconds, used = time.perf_counter() - started, time.process_time() - cpu
    say(
        f"XLSX, {rows} rows × {SHEET_COLUMNS} columns: read in {seconds:.1f} s"
        f" (aim: {SHEET_SECONDS} for {SHEET_ROWS}), {used:.1f} s of CPU,"
        f" {(highest[0] - before) / 1e6:.0f} MB more"
    )


def timed(ask: Callable[[int], object]) -> list[float]:
    """Return the ms of each of REPEATS questions, after two that warm up."""
    ask(1), ask(2)
    found = []
    for number in range(REPEATS):
        started = time.perf_counter()
        ask(number)
        found.append((time.perf_counter() - started) * 1000)
    return found


def _row(name: str, ms: Sequence[float]) -> str:
    p95 = sorted(ms)[int(len(ms) * 0.95)]
    return f"{name:34}{statistics.median(ms):>10.1f}{p95:>8.1f}"


def _small(folder: Path) -> Path:
    path = folder / "small.csv"
    path.write_text("名称,数\n甲,1\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    main()
