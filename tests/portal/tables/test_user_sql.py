"""SQL of a caller's: what it may, and every attack that is known, each refused by name."""

from __future__ import annotations

from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from portal.errors import Invalid, Unavailable
from portal.tables.user_sql import check_sql
from portal.tables.user_sql_run import ReadableTable, SqlRows, run_sql

NAME = "61b713c8-c135-4815-a383-b0fc2b0229cd"


@pytest.fixture(scope="module")
def readable(tmp_path_factory: pytest.TempPathFactory) -> ReadableTable:
    """A table with a column that nobody may read."""
    numbers = range(1, 201)
    path = tmp_path_factory.mktemp("table") / "table.parquet"
    columns = {
        "_id": list(numbers),
        "stop_code": [f"{n:06d}" for n in numbers],
        "stop_name": [f"站{n % 3}" for n in numbers],
        "daily_passengers": list(numbers),
        "secret": ["s"] * 200,
    }
    pq.write_table(pa.table(columns), path)
    open_ones = ("stop_code", "stop_name", "daily_passengers")
    return ReadableTable(path, {name: name for name in open_ones})


def ask(readable: ReadableTable, sql: str, **more: Any) -> SqlRows:
    checked = check_sql(sql.replace("{t}", f'"{NAME}"'))
    assert set(checked.tables) == {NAME}
    return run_sql(checked, {NAME: readable}, **more)


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ('SELECT count(*) AS n FROM {t}', [{"n": 200}]),
        (
            'SELECT stop_name, sum(daily_passengers) AS s FROM {t} GROUP BY 1 ORDER BY s DESC LIMIT 1',
            [{"stop_name": "站2", "s": 6767}],
        ),
        (
            "WITH big AS (SELECT * FROM {t} WHERE daily_passengers >= 199) SELECT b.stop_code FROM"
            " big b JOIN {t} x ON x._id = b._id WHERE x.stop_name LIKE '站%' ORDER BY b.stop_code",
            [{"stop_code": "000199"}, {"stop_code": "000200"}],
        ),
        (
            'SELECT {t}.stop_code, row_number() OVER (ORDER BY _id) AS r FROM {t} LIMIT 1 OFFSET 1',
            [{"stop_code": "000002", "r": 2}],
        ),
        ('SELECT 1 AS one FROM {t} UNION SELECT 2 AS one ORDER BY one', [{"one": 1}, {"one": 2}]),
        (
            "SELECT round(avg(daily_passengers)::numeric, 2) AS a, max(length(stop_name)) AS l,"
            " count(DISTINCT stop_name) FILTER (WHERE daily_passengers > 3) AS d FROM {t}",
            [{"a": 100.5, "l": 2, "d": 3}],
        ),
        (
            "SELECT CASE WHEN _id = 1 THEN 'a' ELSE 'b' END AS c FROM {t} t"
            ' WHERE EXISTS (SELECT 1 FROM {t} u WHERE u._id = t._id AND u._id IN (1, 2)) ORDER BY _id',
            [{"c": "a"}, {"c": "b"}],
        ),
    ],
)  # fmt: skip
def test_what_analysts_ask(readable: ReadableTable, sql: str, rows: list[Any]) -> None:
    found = ask(readable, sql)
    assert orjson.loads(found.records) == rows
    assert not found.truncated


ATTACKS = {
    # CKAN, 2026: functions that run a second statement, past a list of forbidden ones
    "cve_2026_42031_ts_rewrite": "SELECT ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, query FROM pg_stat_activity') FROM {t}",
    "cve_2026_42032_ts_stat": "SELECT * FROM ts_stat('SELECT to_tsvector(usename) FROM pg_user')",
    "query_to_xml": "SELECT query_to_xml('SELECT * FROM pg_user', true, true, '') FROM {t}",
    "database_to_xml": "SELECT database_to_xml(true, true, '') FROM {t}",
    "cursor_to_xml": "SELECT cursor_to_xml('c', 1, true, true, '') FROM {t}",
    "dblink": "SELECT * FROM dblink('host=127.0.0.1', 'SELECT 1') AS x(a int)",
    "pg_sleep": "SELECT pg_sleep(60) FROM {t}",
    "pg_read_file": "SELECT pg_read_file('/etc/passwd') FROM {t}",
    "lo_import": "SELECT lo_import('/etc/passwd') FROM {t}",
    "set_config": "SELECT set_config('role', 'postgres', false) FROM {t}",
    "current_setting": "SELECT current_setting('data_directory') FROM {t}",
    "system_table": "SELECT * FROM pg_catalog.pg_user",
    "system_table_bare": "SELECT * FROM pg_tables",
    "information_schema": "SELECT * FROM information_schema.tables",
    "engine_read_parquet": "SELECT * FROM read_parquet('/etc/passwd')",
    "engine_read_text": "SELECT * FROM read_text('/etc/passwd')",
    "engine_glob": "SELECT * FROM glob('/*')",
    "engine_file_as_table": "SELECT * FROM '/etc/passwd'",
    "engine_file_as_quoted_table": 'SELECT * FROM "/etc/passwd.csv"',
    "engine_settings": "SELECT * FROM duckdb_settings()",
    "engine_secrets": "SELECT * FROM duckdb_secrets()",
    "engine_query_function": "SELECT * FROM query('SELECT 1')",
    "engine_query_table": "SELECT * FROM query_table('duckdb_tables')",
    "engine_getenv": "SELECT getenv('HOME') FROM {t}",
    "engine_json_execute": "SELECT * FROM json_execute_serialized_sql('{}')",
    "engine_base_name": 'SELECT * FROM base_0',
    "engine_view_name": 'SELECT * FROM "table 0"',
    "two_statements": "SELECT 1 FROM {t}; SELECT 2",
    "statement_behind_comment": "SELECT 1 FROM {t}; -- x\nDROP TABLE x",
    "insert": "INSERT INTO {t} VALUES (1)",
    "update": "UPDATE {t} SET stop_name = 'x'",
    "delete": "DELETE FROM {t}",
    "drop": "DROP TABLE {t}",
    "copy": "COPY {t} TO '/tmp/x'",
    "attach": "ATTACH '/tmp/x.db'",
    "set": "SET enable_external_access = true",
    "pragma": "PRAGMA database_list",
    "install": "INSTALL httpfs",
    "call": "CALL pragma_version()",
    "explain": "EXPLAIN ANALYZE SELECT * FROM {t}",
    "prepare": "PREPARE x AS SELECT 1",
    "do_block": "DO $$ BEGIN PERFORM 1; END $$",
    "select_into": "SELECT * INTO x FROM {t}",
    "create_as": "CREATE TABLE x AS SELECT * FROM {t}",
    "writing_cte": "WITH x AS (DELETE FROM {t} RETURNING *) SELECT * FROM x",
    "for_update": "SELECT * FROM {t} FOR UPDATE",
    "recursive": "WITH RECURSIVE r AS (SELECT 1 AS n FROM {t} UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
    "generate_series": "SELECT * FROM generate_series(1, 100000000)",
    "repeat": "SELECT repeat('x', 2000000000) FROM {t}",
    "rpad": "SELECT rpad('x', 2000000000, 'y') FROM {t}",
    "array_of_everything": "SELECT array_agg(a.stop_name) FROM {t} a",
    "lateral": "SELECT * FROM {t}, LATERAL (SELECT 1) x",
    "cast_to_regclass": "SELECT 'pg_user'::regclass FROM {t}",
    "cast_to_json": "SELECT stop_name::json FROM {t}",
    "parameter": "SELECT $1 FROM {t}",
    "placeholder": "SELECT ? FROM {t}",
    "schema_qualified": "SELECT * FROM main.{t}",
    "other_database": "SELECT * FROM system.main.{t}",
    "current_user": "SELECT current_user FROM {t}",
    "version": "SELECT version() FROM {t}",
    "no_table": "SELECT 1",
    "values": "VALUES (1), (2)",
    "unfinished_text": "SELECT 'x FROM {t}",
    "not_sql": "nothing of the kind",
    "empty_statement": ";",
    "macro_arguments": "SELECT * FROM {t} TABLESAMPLE SYSTEM (1)",
    "time_travel": "SELECT * FROM {t} AT (VERSION => 1)",
    "column_of_another_schema": "SELECT pg_catalog.pg_user.usename FROM {t}",
    "unknown_function": "SELECT anything_new(1) FROM {t}",
    "deep": "SELECT " + "(" * 500 + "1" + ")" * 500 + " FROM {t}",
    "very_deep": "SELECT " + "(" * 4000 + "1" + ")" * 4000 + " FROM {t}",
    "long": "SELECT '" + "x" * 20_000 + "' FROM {t}",
    "wide": "SELECT " + "+".join("1" * 1 for _ in range(3000)) + " FROM {t}",
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(name: str) -> None:
    """Refused by its words, or it reads a table that no resource is: nothing reaches an engine."""
    sql = ATTACKS[name].replace("{t}", f'"{NAME}"')
    try:
        tables = set(check_sql(sql).tables)
    except Invalid:
        return
    assert tables - {NAME}


TRICKS = {
    "local_name_out_of_its_place": "SELECT * FROM duckdb_tables, (WITH duckdb_tables AS (SELECT 1 FROM {t}) SELECT * FROM duckdb_tables) x",
    "local_name_before_it_is_made": "WITH a AS (SELECT * FROM duckdb_views), duckdb_views AS (SELECT 1 FROM {t}) SELECT * FROM a",
    "local_name_of_the_base": "SELECT * FROM base_0, (WITH base_0 AS (SELECT 1 FROM {t}) SELECT * FROM base_0) x",
    "closed_column": "SELECT secret FROM {t}",
    "closed_column_of_the_base": "SELECT base_0.secret FROM {t}",
    "name_with_a_quote": 'SELECT "a"" FROM pg_tables; --" FROM {t}',
    "text_with_a_quote": "SELECT stop_name FROM {t} WHERE nope = 'a'' OR 1=1; --'",
}  # fmt: skip


@pytest.mark.parametrize("name", TRICKS)
def test_what_gets_past_the_words_finds_nothing(readable: ReadableTable, name: str) -> None:
    with pytest.raises(Invalid) as found:
        ask(readable, TRICKS[name])
    assert str(readable.path) not in found.value.text()


def test_a_star_gives_what_is_open_and_no_more(readable: ReadableTable) -> None:
    found = ask(readable, "SELECT * FROM {t} LIMIT 1")
    (row,) = orjson.loads(found.records)
    assert list(row) == ["_id", "stop_code", "stop_name", "daily_passengers"]
    assert [field["type"] for field in found.fields] == ["int8", "text", "text", "int8"]


def test_what_takes_too_long_ends(readable: ReadableTable) -> None:
    joins = ", ".join(f"{{t}} t{n}" for n in range(4))  # more would run out of memory first
    words = "t0.stop_name || t3.stop_name < t1.stop_code || t2.stop_code"
    with pytest.raises(Unavailable, match="用时"):
        ask(readable, f"SELECT count(*) FROM {joins} WHERE {words}", seconds=0.5)


def test_what_takes_too_much_ends(readable: ReadableTable) -> None:
    much = "WITH a AS (SELECT stop_name AS s FROM {t} LIMIT 1)" + "".join(
        f", a{n} AS (SELECT s || s || s || s || s || s || s || s AS s FROM a{n - 1 if n else ''})"
        for n in range(10)
    )
    with pytest.raises(Unavailable, match="内存"):
        ask(readable, f"{much} SELECT length(s) FROM a9", seconds=30)


def test_many_rows_are_cut_and_the_answer_says_so(readable: ReadableTable) -> None:
    found = ask(readable, "SELECT a._id FROM {t} a, {t} b")
    assert (len(orjson.loads(found.records)), found.truncated) == (32_000, True)
