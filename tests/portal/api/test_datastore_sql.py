"""`datastore_search_sql` over HTTP: CKAN's answer, the labels of every other way to a table."""

from __future__ import annotations

from typing import Any

import pytest

from portal.rules.entry_content import InformationItem
from tests.factories import conditional_content, content
from tests.portal.api.conftest import World

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


def table(world: World, given: Any = None) -> str:
    name = world.publish(lambda catalogue: catalogue.opened(given))
    return str(world.editor.result("package_show", id=name)["resources"][0]["id"])


def test_the_answer_is_ckans(world: World) -> None:
    resource_id = table(world)
    sql = f'SELECT stop_code, daily_passengers FROM "{resource_id}" LIMIT 1'
    found = world.visitor.get("datastore_search_sql", sql=sql)["result"]
    assert found == {
        "sql": sql,
        "records": [{"stop_code": "000123", "daily_passengers": 1200}],
        "fields": [
            {"id": "stop_code", "type": "text"},
            {"id": "daily_passengers", "type": "int8"},
        ],
    }
    status, error = world.visitor.refused(
        "datastore_search_sql", sql=f'SELECT pg_sleep(9) FROM "{resource_id}"'
    )
    assert (status, list(error), "pg_sleep" in error["sql"][0].lower()) == (
        409,
        ["sql", "__type"],
        True,
    )


def test_columns_that_are_not_open_are_not_there(world: World) -> None:
    items = (
        InformationItem(1, "站点编码", "stop_code", "string", 20, primary_key=True, nullable=False),
        InformationItem(2, "站点名称", "stop_name", "string", 100, open=False),
        InformationItem(3, "日客流量", "daily_passengers", "integer"),
    )
    resource_id = table(world, content(items=items))
    found = world.visitor.result(
        "datastore_search_sql", sql=f'SELECT * FROM "{resource_id}" LIMIT 1'
    )
    (row,) = found["records"]
    assert set(row) == {"_id", "stop_code", "daily_passengers"}
    for column in ("stop_name", '"站点名称"', "base_0.stop_name"):
        sql = f'SELECT {column} FROM "{resource_id}"'
        assert world.visitor.refused("datastore_search_sql", sql=sql)[0] == 409


def test_only_tables_that_the_caller_may_read(world: World) -> None:
    readable = table(world)

    def make(catalogue: Any) -> Any:
        place = catalogue.opened(conditional_content())
        catalogue.file(place.entry)
        return place

    closed = world.publish(make)
    shown = world.editor.result("package_show", id=closed)["resources"]
    resource_id = next(one["id"] for one in shown if one["url_type"] == "upload")
    sql = f'SELECT * FROM "{readable}" a, "{resource_id}" b'
    assert world.visitor.refused("datastore_search_sql", sql=sql)[0] == 403
    assert world.visitor.refused("datastore_search_sql", sql='SELECT * FROM "nobody"')[0] == 404
