"""Rows of open tables, as clients of CKAN's DataStore ask for them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import conditional_content, content
from tests.portal.api.conftest import World

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


def table(world: World, given: Any = None) -> str:
    """Publish an entry with the sample table; return the resource's id."""
    name = world.publish(lambda catalogue: catalogue.opened(given))
    return str(world.editor.result("package_show", id=name)["resources"][0]["id"])


def test_rows_and_what_old_clients_need(world: World) -> None:
    resource_id = table(world)
    found = world.visitor.get("datastore_search", resource_id=resource_id, limit=1)["result"]
    assert found["records"] == [
        {"_id": 1, "stop_code": "000123", "stop_name": "人民广场", "daily_passengers": 1200}
    ]
    assert [f["id"] for f in found["fields"]] == [
        "_id",
        "stop_code",
        "stop_name",
        "daily_passengers",
    ]
    assert found["fields"][0] == {"id": "_id", "type": "int"}
    assert found["fields"][2]["info"]["label"] == "站点名称"
    assert (found["total"], found["total_was_estimated"]) == (2, False)
    assert set(found) >= {"include_total", "limit", "records_format", "resource_id", "_links"}
    following = world.app.test_client().get(found["_links"]["next"]).get_json()["result"]
    assert [row["_id"] for row in following["records"]] == [2]
    info = world.visitor.get("datastore_info", id=resource_id)["result"]
    assert info["meta"]["count"] == 2


@SQLITE
@pytest.mark.parametrize(
    ("ask", "ids"),
    [
        ({"filters": {"stop_name": "桂林路"}}, [2]),
        ({"filters": {"站点名称": "桂林路"}}, [2]),
        ({"filters": '{"stop_name": ["桂林路", "人民广场"]}'}, [1, 2]),
        ({"filters": {"daily_passengers": {"gt": 1000}}}, [1]),
        ({"filters": {"daily_passengers": {"gte": 900, "lt": 1200}}}, [2]),
        ({"filters": {"daily_passengers": None}}, []),
        ({"filters": {"_id": {"gt": 1}}}, [2]),
        ({"q": "广场"}, [1]),
        ({"q": {"stop_name": "桂林"}}, [2]),
        ({"sort": "daily_passengers asc"}, [2, 1]),
        ({"sort": "daily_passengers desc, stop_code"}, [1, 2]),
        ({"offset": 1}, [2]),
        ({"offset": 10**9}, []),
        ({"limit": 0}, []),
        ({"limit": 10**6}, [1, 2]),
    ],
)
def test_what_may_be_asked(world: World, ask: dict[str, Any], ids: list[int]) -> None:
    found = world.visitor.result("datastore_search", resource_id=table(world), **ask)
    assert [row["_id"] for row in found["records"]] == ids
    assert found["limit"] <= 32_000


@SQLITE
def test_fields_lists_and_pages(world: World) -> None:
    resource_id = table(world)
    found = world.visitor.result(
        "datastore_search",
        resource_id=resource_id,
        fields="stop_name",
        records_format="lists",
        include_next_page=True,
        include_total=False,
    )
    assert found["records"] == [["人民广场"], ["桂林路"]]
    assert found["next_page"] == {"_id": {"gt": 2}}
    assert "total" not in found


@SQLITE
@pytest.mark.parametrize(
    ("ask", "field"),
    [
        ({"filters": {"nope": 1}}, "filters.0"),
        ({"filters": "{bad"}, "filters"),
        ({"filters": {"daily_passengers": "many"}}, "filters.0"),
        ({"filters": {"daily_passengers": {"like": 1}}}, "filters.0"),
        ({"sort": "nope desc"}, "sort"),
        ({"fields": ["nope"]}, "columns"),
        ({"limit": -1}, "limit"),
        ({"records_format": "xml"}, "records_format"),
    ],
)
def test_what_bad_questions_get(world: World, ask: dict[str, Any], field: str) -> None:
    status, error = world.visitor.refused("datastore_search", resource_id=table(world), **ask)
    assert (status, error["__type"]) == (409, "Validation Error")
    assert field in error


@SQLITE
def test_only_open_columns_go_out(world: World) -> None:
    given = content()
    closed = (
        given.items[0],
        given.items[1].__class__(2, "站点名称", "stop_name", "string", 100, open=False),
        given.items[2],
    )
    found = world.visitor.result(
        "datastore_search", resource_id=table(world, content(items=closed))
    )
    assert "stop_name" not in found["records"][0]
    status, _ = world.visitor.refused(
        "datastore_search", resource_id=found["resource_id"], filters={"stop_name": "桂林路"}
    )
    assert status == 409


@SQLITE
def test_conditional_and_missing_tables(world: World) -> None:
    name = world.publish(
        lambda catalogue: catalogue.file(catalogue.opened(conditional_content()).entry).entry
    )
    shown = world.editor.result("package_show", id=name)
    resource_id = next(r["id"] for r in shown["resources"] if r["url_type"] == "upload")
    assert world.visitor.refused("datastore_search", resource_id=resource_id)[0] == 403
    assert world.visitor.refused("datastore_search", resource_id="nowhere")[0] == 404
