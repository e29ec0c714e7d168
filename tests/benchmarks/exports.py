"""How fast a table leaves in each form; `python -m tests.benchmarks.exports --count 200000`.

Rates are of the bytes that leave (MB a second) and of rows. XlsxWriter writes the same rows in the
same run (`constant_memory`, values ready in memory), so that its ratio needs no machine to compare.
CPU time is given beside the time on the clock: on a shared machine only the first one is steady.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psutil
import xlsxwriter

from portal.storage import LocalStorage
from portal.tables.cache import TableCache
from portal.tables.export import ExportForm, export_rows
from portal.tables.info import TableInfo
from portal.tables.query import TableQuery
from portal.tables.reader import read_table
from portal.tables.store import build_table

ROWS, PEER_ROWS = 1_000_000, 60_000
AIMS = {ExportForm.CSV: 120, ExportForm.NDJSON: 120}
PEER_AIM = 4
MAX_MEMORY_MB = 400
# 15 columns as agencies have them: codes of 18 digits, names, dates, numbers, 2 % blanks.
SAMPLE = """
SELECT '22' || lpad((i * 7919 % 10000000000000000)::VARCHAR, 16, '0') AS 统一编码,
  '吉林省第' || (i % 997) || '号公共服务站点' AS 名称,
  ['长春市', '吉林市', '四平市', '延边朝鲜族自治州'][i % 4 + 1] AS 地区,
  lpad((i % 1000000)::VARCHAR, 6, '0') AS 区划代码,
  CASE WHEN i % 50 = 0 THEN NULL ELSE DATE '2015-01-01' + (i % 3650)::INTEGER END AS 登记日期,
  TIMESTAMP '2020-01-01 08:00:00' + INTERVAL (i % 100000) MINUTE AS 更新时间,
  i % 100000 AS 数量,
  CASE WHEN i % 50 = 1 THEN NULL ELSE ((i * 37 % 9999999) / 100)::DECIMAL(12, 2) END AS 金额,
  ((i * 13 % 180000) / 1000)::DECIMAL(9, 4) AS 经度, ((i * 17 % 90000) / 1000)::DECIMAL(9, 4) AS 纬度,
  '人民大街' || (i % 8000) || '号' AS 地址, '0431-8' || lpad((i % 1000000)::VARCHAR, 6, '0') AS 电话,
  CASE WHEN i % 50 = 2 THEN NULL ELSE '正常' END AS 状态, i * 3 AS 序列, 'https://example.cn/' || i AS 网址
FROM range({count}) AS r(i)
"""


@dataclass(frozen=True)
class Figures:
    rows: int
    mb: float
    seconds: float
    cpu_seconds: float
    memory_mb: float  # the highest, beyond what the process held before

    @property
    def mb_a_second(self) -> float:
        return self.mb / self.seconds

    @property
    def rows_a_second(self) -> float:
        return self.rows / self.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=ROWS, help="rows of the table")
    parser.add_argument("--forms", default="", help="some forms only, by comma")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="xiangyun-bench-") as folder:
        run(
            Path(folder), arguments.count, arguments.forms, say=lambda text: print(text, flush=True)
        )


def run(folder: Path, count: int, forms: str = "", *, say: Callable[[str], None]) -> None:
    """Measure every form on one table of `count` rows, and XlsxWriter beside them."""
    cache, info = make_table(folder, count)
    asked = [ExportForm(name) for name in forms.split(",") if name] or list(ExportForm)
    say(f"exports of {count} rows × {len(info.columns)} columns")
    say(f"{'':14}{'MB':>7}{'s':>7}{'CPU s':>7}{'MB/s':>7}{'rows/s':>10}{'MB more':>9}")
    found = {}
    for form in asked:
        found[form] = measure(count, lambda form=form: whole(cache, info, form))  # type: ignore[misc]
        aim = f"  aim: {AIMS[form]} MB/s" if form in AIMS else ""
        say(_row(form.value, found[form]) + aim)
    if ExportForm.XLSX in found:
        peer = measure_xlsxwriter(folder, info, min(count, PEER_ROWS))
        say(_row("XlsxWriter", peer))
        ours = found[ExportForm.XLSX]
        ratio = ours.rows_a_second / peer.rows_a_second
        cpu = (ours.rows / ours.cpu_seconds) / (peer.rows / peer.cpu_seconds)
        say(f"XLSX: {ratio:.1f} × XlsxWriter by the clock, {cpu:.1f} × by CPU (aim: {PEER_AIM} ×)")
    say(
        f"memory beyond idle: {max(f.memory_mb for f in found.values()):.0f} MB (aim: {MAX_MEMORY_MB})"
    )
    cache.close()


def make_table(folder: Path, count: int) -> tuple[TableCache, TableInfo]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sample.csv"
    with duckdb.connect() as connection:
        sql = SAMPLE.format(count=count)
        connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT csv, HEADER)")
    storage = LocalStorage(folder / "store")
    with read_table(str(path), filename=path.name) as parsed:
        info = build_table(parsed, storage)
    cache = TableCache(folder / "native", storage)
    cache.warm(info)
    return cache, info


def whole(cache: TableCache, info: TableInfo, form: ExportForm) -> Iterator[bytes]:
    return export_rows(cache, info, TableQuery(limit=None), form)


def measure(rows: int, pieces: Callable[[], Iterable[bytes]]) -> Figures:
    process = psutil.Process()
    before = process.memory_info().rss
    with highest_memory(process) as highest:
        cpu, started = process.cpu_times(), time.perf_counter()
        size = sum(len(piece) for piece in pieces())
        seconds, after = time.perf_counter() - started, process.cpu_times()
    used = after.user + after.system - cpu.user - cpu.system
    return Figures(rows, size / 1e6, seconds, used, (highest[0] - before) / 1e6)


@contextmanager
def highest_memory(process: psutil.Process) -> Iterator[list[int]]:
    """Yield a list whose only value is the highest resident memory while the block runs, in bytes."""
    highest = [process.memory_info().rss]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            highest[0] = max(highest[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield highest
    finally:
        done.set()
        watcher.join()


def measure_xlsxwriter(folder: Path, info: TableInfo, count: int) -> Figures:
    """Write the first rows with XlsxWriter, its values ready: what it is measured at is writing."""
    source = folder / "store" / info.parquet_sha256[:2] / info.parquet_sha256[2:4]
    with duckdb.connect() as connection:
        names = ", ".join(f'"{column.field_name}"' for column in info.columns)
        path = source / info.parquet_sha256
        rows = connection.execute(
            f"SELECT {names} FROM read_parquet('{path}') LIMIT {count}"
        ).fetchall()
    headers = [column.name for column in info.columns]
    return measure(count, lambda: [_xlsxwriter(headers, rows)])


def _xlsxwriter(headers: list[str], rows: list[tuple[Any, ...]]) -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(
        target, {"constant_memory": True, "default_date_format": "yyyy-mm-dd", "in_memory": False}
    )
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, headers)
    for number, row in enumerate(rows, start=1):
        for place, value in enumerate(row):
            if value is None:
                sheet.write_blank(number, place, None)
            elif isinstance(value, str):
                sheet.write_string(number, place, value)
            elif hasattr(value, "year"):
                sheet.write_datetime(number, place, value)
            else:
                sheet.write_number(number, place, value)
    book.close()
    return target.getvalue()


def _row(name: str, figures: Figures) -> str:
    return (
        f"{name:14}{figures.mb:>7.0f}{figures.seconds:>7.2f}{figures.cpu_seconds:>7.2f}"
        f"{figures.mb_a_second:>7.0f}{figures.rows_a_second:>10.0f}{figures.memory_mb:>9.0f}"
    )


if __name__ == "__main__":
    main()
