"""`datastore_search_sql`: one SELECT over tables that the caller may read."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import Field

from portal.api.action import Action, Call
from portal.api.datastore_tables import open_wire_table
from portal.api.inputs import Input
from portal.errors import TooManyRequests
from portal.tables.limits import LONGEST_SQL
from portal.web.access import Access
from portal.web.security import WINDOW_SECONDS, AddressWindow, client_address, network_of

if TYPE_CHECKING:
    from portal.tables.user_sql_run import ReadableTable

STATEMENTS_A_MINUTE = 60
"""Of one address in one web process: each starts a process of its own."""

_window = AddressWindow()


class DatastoreSearchSql(Input):
    sql: str = Field(min_length=1, max_length=LONGEST_SQL)


def datastore_search_sql(call: Call, given: DatastoreSearchSql) -> dict[str, Any]:
    """Return the rows of one SELECT.

    sql: PostgreSQL's words; tables are ids of resources in double quotes, columns are the ids that
    datastore_info gives: SELECT area, count(*) FROM "61b713c8-…" GROUP BY area. Joins, sub-queries,
    WITH, windows and the usual functions are known, everything else is refused. At most 32000 rows and
    16 MB (records_truncated says that there are more), 5 seconds, 60 statements a minute.
    """
    # sqlglot and its dialects: for whoever asks so, not for every process.
    from portal.tables.user_sql import check_sql
    from portal.tables.user_sql_run import run_sql

    if _window.count(network_of(client_address()), time.time()) > STATEMENTS_A_MINUTE:
        raise TooManyRequests(retry_after_seconds=WINDOW_SECONDS)
    checked = check_sql(given.sql)
    tables = {name: _table(call, name) for name in checked.tables}
    call.session.rollback()  # nothing is read any more: hold no snapshot while the statement runs
    found = run_sql(checked, tables)
    answer: dict[str, Any] = {
        "sql": given.sql,
        "records": orjson.Fragment(found.records),
        "fields": found.fields,
    }
    return answer | ({"records_truncated": True} if found.truncated else {})


def _table(call: Call, resource_id: str) -> ReadableTable:
    """Return what of a table the caller may read; asked as for every other way to its rows."""
    from portal.tables.user_sql_run import ReadableTable

    table = open_wire_table(call, resource_id)
    path = Path(call.platform.storage.local_path(table.info.parquet_sha256))
    columns = {column.field_name: table.id_of(column) for column in table.info.columns}
    return ReadableTable(path, columns)


ACTIONS = (Action("datastore_search_sql", Access.PUBLIC, datastore_search_sql, DatastoreSearchSql),)
