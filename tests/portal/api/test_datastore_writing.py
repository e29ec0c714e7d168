"""Tables written row by row through the API: whole or nothing, with the checks of an upload."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.portal.api.conftest import World

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])
FIELDS = [
    {"id": "编号", "type": "text"},
    {"id": "Name", "type": "text", "info": {"label": "站名"}},
    {"id": "amount", "type": "numeric"},
    {"id": "count", "type": "int"},
    {"id": "day", "type": "date"},
    {"id": "open", "type": "bool"},
]
ROWS = [
    {"编号": "001084", "Name": "人民广场", "amount": 1.5, "count": 3, "day": "2026-01-02", "open": True},
    {"编号": "001085", "Name": "桂林路", "amount": "12345678901.10", "count": None, "open": False},
]  # fmt: skip


def package(world: World) -> str:
    return world.publish(lambda catalogue: catalogue.opened())


def made(world: World, **more: Any) -> str:
    given = {"fields": FIELDS, "primary_key": ["编号"], "records": ROWS, **more}
    answer = world.editor.result(
        "datastore_create", {"resource": {"package_id": package(world), "name": "站点表"}, **given}
    )
    world.index()
    return str(answer["resource_id"])


def rows(world: World, resource_id: str, **more: Any) -> list[Any]:
    found = world.visitor.result("datastore_search", resource_id=resource_id, **more)
    return list(found["records"])


def test_what_is_written_comes_back_as_it_was_written(world: World) -> None:
    resource_id = made(world)
    found = world.visitor.result("datastore_search", resource_id=resource_id)
    assert found["records"] == [
        {"_id": 1, **ROWS[0]},
        {"_id": 2, **ROWS[1], "amount": 12345678901.1, "day": None},
    ]
    assert [(f["id"], f["type"]) for f in found["fields"]] == [
        ("_id", "int"), ("编号", "text"), ("Name", "text"), ("amount", "numeric"),
        ("count", "int8"), ("day", "date"), ("open", "bool"),
    ]  # fmt: skip
    assert found["fields"][2]["info"]["label"] == "站名"
    assert rows(world, resource_id, filters={"Name": "桂林路"}, fields=["编号"]) == [
        {"编号": "001085"}
    ]
    info = world.visitor.result("datastore_info", id=resource_id)
    assert info["meta"]["count"] == 2


@SQLITE
def test_a_row_is_changed_by_its_key_and_keeps_what_is_not_sent(world: World) -> None:
    resource_id = made(world)
    change = [{"编号": "001085", "count": 9}, {"编号": "001086", "Name": "新站"}]
    answer = world.editor.result("datastore_upsert", resource_id=resource_id, records=change)
    assert (answer["method"], answer["total"]) == ("upsert", 3)
    world.index()
    found = rows(world, resource_id, fields=["编号", "Name", "count", "amount"])
    assert found == [
        {"编号": "001084", "Name": "人民广场", "count": 3, "amount": 1.5},
        {"编号": "001085", "Name": "桂林路", "count": 9, "amount": 12345678901.1},
        {"编号": "001086", "Name": "新站", "count": None, "amount": None},
    ]


@SQLITE
def test_writes_may_follow_each_other_before_a_worker_has_read(world: World) -> None:
    resource_id = str(
        world.editor.result(
            "datastore_create",
            resource={"package_id": package(world)},
            fields=FIELDS,
            primary_key="编号",
        )["resource_id"]
    )
    status, error = world.editor.refused("datastore_search", resource_id=resource_id)
    assert (status, "还没有行" in error["message"]) == (404, True)
    for row in ROWS:
        world.editor.result(
            "datastore_upsert", resource_id=resource_id, records=[row], method="insert"
        )
    status, error = world.editor.refused("datastore_search", resource_id=resource_id)
    assert (status, "正在读取" in error["message"]) == (404, True)
    world.index()
    assert len(rows(world, resource_id)) == 2


@SQLITE
def test_one_bad_record_and_nothing_is_written(world: World) -> None:
    resource_id = made(world)
    records = [{"编号": "001084", "count": 77}, {"编号": "1", "count": "many", "nope": 1}]
    status, error = world.editor.refused(
        "datastore_upsert", resource_id=resource_id, records=records
    )
    assert (status, set(error)) == (409, {"records.1.count", "records.1.nope", "__type"})
    world.index()
    assert [row["count"] for row in rows(world, resource_id)] == [3, None]


@SQLITE
def test_a_dry_run_says_what_would_be_and_writes_nothing(world: World) -> None:
    resource_id = made(world)
    asked = {"resource_id": resource_id, "records": [{"编号": "x"}], "dry_run": True}
    assert world.editor.result("datastore_upsert", asked)["total"] == 3
    assert world.editor.refused("datastore_upsert", {**asked, "records": [{"y": 1}]})[0] == 409
    world.index()
    assert len(rows(world, resource_id)) == 2


@SQLITE
def test_all_rows_then_the_table_then_nothing(world: World) -> None:
    resource_id = made(world)
    name = world.visitor.result("resource_show", id=resource_id)["package_id"]
    answer = world.editor.result(
        "datastore_delete", resource_id=resource_id, filters={"编号": ["001085"]}
    )
    assert answer["deleted"] == 1
    world.editor.result("datastore_delete", resource_id=resource_id, filters={})
    world.index()
    assert world.visitor.refused("datastore_search", resource_id=resource_id)[0] == 404
    assert world.app.test_client().get(f"/dataset/{name}").status_code == 200
    world.editor.result("datastore_upsert", resource_id=resource_id, records=ROWS[:1])
    world.index()
    assert len(rows(world, resource_id)) == 1
    world.editor.result("datastore_delete", resource_id=resource_id)
    world.index()
    assert world.visitor.result("resource_show", id=resource_id)["datastore_active"] is False
    assert world.editor.refused("datastore_upsert", resource_id=resource_id, records=ROWS)[0] == 409
    refused = world.editor.refused("datastore_records_delete", resource_id=resource_id)
    assert (refused[0], "filters" in refused[1]) == (409, True)


@SQLITE
def test_columns_are_added_and_types_stay(world: World) -> None:
    resource_id = made(world)
    create = {"resource_id": resource_id, "records": [{"编号": "3", "new": 1}]}
    answer = world.editor.result("datastore_create", create)
    assert [f["id"] for f in answer["fields"]][-1] == "new"
    world.index()
    assert [row["new"] for row in rows(world, resource_id)] == [None, None, 1]
    wrong = {"resource_id": resource_id, "fields": [{"id": "count", "type": "text"}]}
    assert "fields" in world.editor.refused("datastore_create", wrong)[1]
    doubled = {"resource_id": resource_id, "primary_key": ["new"]}
    assert "primary_key" in world.editor.refused("datastore_create", doubled)[1]


@SQLITE
def test_who_may_write(world: World) -> None:
    resource_id = made(world)
    create = {"resource": {"package_id": package(world)}, "records": [{"a": 1}]}
    for caller in (world.visitor, world.stranger):
        assert caller.refused("datastore_create", create)[0] == 403
        for action in ("datastore_upsert", "datastore_delete"):
            assert caller.refused(action, resource_id=resource_id, records=[], filters={})[0] == 403
    assert world.editor.send("GET", "datastore_delete", query_string={"id": "x"}).status_code == 400


@SQLITE
def test_an_uploaded_file_is_written_only_by_force(world: World) -> None:
    name = package(world)
    upload = world.editor.result("package_show", id=name)["resources"][0]["id"]
    given = {"resource_id": upload, "records": [{"a": 1}]}
    assert "resource_id" in world.editor.refused("datastore_create", given)[1]
    assert world.editor.refused("datastore_upsert", given)[0] == 409
    assert world.editor.refused("datastore_delete", resource_id=upload)[0] == 409
    world.editor.result("datastore_create", {**given, "force": True})
    world.index()
    assert rows(world, upload) == [{"_id": 1, "a": 1}]


@SQLITE
def test_personal_data_is_held_as_in_an_upload(world: World) -> None:
    people = [{"姓名": "王小明", "身份证号": "220102199003078415"}] * 3
    given = {"resource": {"package_id": package(world)}, "records": people}
    resource_id = world.editor.result("datastore_create", given)["resource_id"]
    world.index()
    assert world.visitor.refused("datastore_search", resource_id=resource_id)[0] == 404
    assert (
        world.visitor.refused("datastore_search_sql", sql=f'SELECT * FROM "{resource_id}"')[0]
        == 404
    )


def test_two_writes_at_once_never_lose_a_row(world: World) -> None:
    resource_id = made(world)
    answers: list[Any] = []

    def write(number: int) -> None:
        records = [{"编号": f"n{number}"}]
        answers.append(
            world.editor.post("datastore_upsert", resource_id=resource_id, records=records)
        )

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = sum(answer["success"] for answer in answers)
    assert written >= 1
    assert all(a["success"] or a["error"]["__type"] == "Validation Error" for a in answers)
    world.index()
    assert len(rows(world, resource_id)) == 2 + written


@SQLITE
def test_texts_of_rows_and_each_combination_once(world: World) -> None:
    resource_id = made(world, records=[*ROWS, {"编号": "3", "Name": "桂林路"}])
    found = world.visitor.result(
        "datastore_search", resource_id=resource_id, records_format="csv", fields=["编号", "amount"]
    )
    assert found["records"] == "001084,1.5\n001085,12345678901.1\n3,\n"
    found = world.visitor.result(
        "datastore_search", resource_id=resource_id, records_format="tsv", fields=["_id", "Name"]
    )
    assert found["records"].splitlines()[0] == "1\t人民广场"
    found = world.visitor.result(
        "datastore_search", resource_id=resource_id, fields="Name", distinct=True, sort="Name desc"
    )
    assert (found["records"], found["total"]) == ([{"Name": "桂林路"}, {"Name": "人民广场"}], 2)
    refused = world.visitor.refused(
        "datastore_search", resource_id=resource_id, fields="Name", distinct=True, sort="count"
    )
    assert "sort" in refused[1]
