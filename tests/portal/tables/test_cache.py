from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from portal.errors import Unavailable
from portal.tables.cache import TableCache
from portal.tables.query import Filter, TableQuery
from portal.tables.watchdog import Watchdog

MAX_NATIVE = 2_500_000  # two or three small tables


def native_files(tmp_path):
    return sorted((tmp_path / "native").glob("*.duckdb"))


def table_text(name, rows=50):
    return "编号,名称\n" + "".join(f"{n:04d},{name}{n}\n" for n in range(rows))


def test_the_native_file_is_named_by_hash_and_made_again_when_gone(build, cache, tmp_path, storage):
    info = build(table_text("甲"))
    cache.warm(info)
    (path,) = native_files(tmp_path)
    assert path.name.startswith(info.parquet_sha256)
    cache.close()
    path.unlink()
    assert cache.run(info, TableQuery(q="甲")).total is not None  # the first rows need no file
    assert native_files(tmp_path) == [path]


def test_a_broken_native_file_is_made_again(build, cache, tmp_path):
    info = build(table_text("甲"))
    cache.warm(info)
    cache.close()
    native_files(tmp_path)[0].write_bytes(b"broken" * 1000)
    assert cache.run(info, TableQuery()).total == 50


def test_the_longest_unused_files_are_evicted_and_still_answer(build, tmp_path, storage):
    cache = TableCache(tmp_path / "native", storage, max_bytes=MAX_NATIVE)
    cache._tables._files._grace_seconds = 0
    infos = [build(table_text(name), filename=f"{name}.csv") for name in "甲乙丙丁戊"]
    for _ in range(2):
        for info, name in zip(infos, "甲乙丙丁戊", strict=True):
            assert cache.run(info, TableQuery(limit=1)).rows[0]["ming_cheng"] == f"{name}0"
            time.sleep(0.01)
    assert sum(path.stat().st_size for path in native_files(tmp_path)) <= MAX_NATIVE
    assert len(cache._tables._attached) < 5
    cache.close()


def test_many_threads_and_tables_at_once(build, cache):
    infos = [build(table_text(name, 3000), filename=f"{name}.csv") for name in "甲乙丙"]
    start = threading.Barrier(8)

    def ask(number):
        start.wait()
        for step in range(30):
            name, info = "甲乙丙"[(number + step) % 3], infos[(number + step) % 3]
            wanted = f"{(number * 31 + step) % 3000:04d}"
            page = cache.run(info, TableQuery(filters=[Filter("bian_hao", "eq", wanted)]))
            assert [row["ming_cheng"] for row in page.rows] == [f"{name}{int(wanted)}"]
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(8)))


def test_two_processes_share_the_folder(build, cache, tmp_path, storage):
    info = build(table_text("甲"))
    cache.warm(info)
    code = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from portal.storage import LocalStorage\n"
        "from portal.tables.cache import TableCache\n"
        "from portal.tables.info import TableInfo\n"
        "from portal.tables.query import TableQuery\n"
        "info = TableInfo.from_dict(json.loads(sys.stdin.read()))\n"
        "cache = TableCache(Path(sys.argv[1]), LocalStorage(Path(sys.argv[2])))\n"
        "print(cache.run(info, TableQuery()).total)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "native"), str(tmp_path / "store")],
        input=json.dumps(info.as_dict()), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == ("50", "")
    assert cache.run(info, TableQuery()).total == 50


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY (SELECT 1) TO '/tmp/xiangyun-escaped.csv'",
        "ATTACH '/tmp/xiangyun-escaped.duckdb' AS other",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
        "INSTALL httpfs",
    ],
)
def test_the_instance_is_locked(build, cache, sql):
    cache.warm(build(table_text("甲")))
    with pytest.raises(duckdb.Error):
        cache._tables.thread_cursor().execute(sql)


def test_tables_are_read_only(build, cache):
    info = build(table_text("甲"))
    cache.warm(info)
    with pytest.raises(duckdb.Error):
        cache._tables.thread_cursor().execute(f"DELETE FROM t_{info.parquet_sha256}.main.rows")


def test_a_long_statement_is_stopped_and_the_next_one_runs():
    watchdog, connection = Watchdog(), duckdb.connect()
    started = time.monotonic()
    with pytest.raises(duckdb.InterruptException), watchdog.limit(connection, 0.2):
        connection.execute("SELECT count(*) FROM range(100000000) a, range(1000) b").fetchall()
    assert time.monotonic() - started < 5
    with watchdog.limit(connection, 5):
        assert connection.execute("SELECT 1").fetchall() == [(1,)]


@pytest.mark.slow
def test_a_page_that_takes_too_long_is_unavailable(build, tmp_path, storage):
    cache = TableCache(tmp_path / "native", storage, query_seconds=0.0)
    info = build("编号,名称\n" + "".join(f"{n},名称{n * 7919 % 300007}\n" for n in range(300_000)))
    cache.warm(info)

    def ask_until_stopped():
        for _ in range(50):  # the watchdog looks every 50 ms
            cache.run(info, TableQuery(q="没有", sort=[("ming_cheng", False)]))

    with pytest.raises(Unavailable) as caught:
        ask_until_stopped()
    assert "用时过长" in caught.value.text()
    cache.close()


@pytest.mark.slow
def test_a_million_rows_are_filtered_and_sorted(cache, storage, tmp_path):
    from portal.tables.reader import read_table
    from portal.tables.store import build_table

    path = tmp_path / "million.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("编号,名称,数量,金额\n")
        file.writelines(
            f"{n:07d},名称{n % 9973},{n % 1000},{n / 100:.2f}\n" for n in range(1_000_000)
        )
    with read_table(path, filename="million.csv") as parsed:
        info = build_table(parsed, storage)
    query = TableQuery(filters=[Filter("shu_liang", "ge", "500")], sort=[("jin_e", True)])
    page = cache.run(info, query)
    assert page.total == 500_000
    assert str(page.rows[0]["jin_e"]) == "9999.99"
    assert len(page.rows) == query.limit
