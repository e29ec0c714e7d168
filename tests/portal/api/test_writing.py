"""Drafts of officials, publications of administrators, and what bad input gets."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from portal.models.entry import find_entry, find_unfinished_version, list_versions
from tests.factories import Catalogue
from tests.portal.api.conftest import World
from tests.portal.api.packages import draft_package, foreign_package

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


def extras(package: dict[str, Any]) -> dict[str, str]:
    return {extra["key"]: extra["value"] for extra in package["extras"]}


def state_of(world: World, name: str) -> str:
    with world.platform.database.reading() as session:
        entry = find_entry(session, name)
        assert entry is not None
        return list_versions(session, entry.id)[0].state


def test_an_editor_makes_and_saves_a_draft(world: World) -> None:
    package = draft_package(
        resources=[{"name": "计划", "url": "https://x.cn/a.csv", "format": "CSV"}]
    )
    made = world.editor.result("package_create", package)
    assert (made["private"], made["state"]) == (True, "draft")
    assert made["title"] == package["title"]
    assert [tag["name"] for tag in made["tags"]] == ["公路", "养护"]
    assert extras(made)["my_note"] == "自由文字"
    assert extras(made)["jl_open_type"] == "unconditional"
    assert made["resources"][0]["url"] == "https://x.cn/a.csv"
    assert state_of(world, made["name"]) == "draft"
    saved = world.editor.result(
        "package_update", {**made, "notes": "更清楚的说明：路段、里程、工期和资金。"}
    )
    assert saved["notes"].startswith("更清楚")
    assert saved["metadata_modified"] > made["metadata_modified"]
    patched = world.editor.result("package_patch", id=made["id"], tags=[{"name": "桥梁"}])
    assert [tag["name"] for tag in patched["tags"]] == ["桥梁"]
    assert patched["notes"] == saved["notes"]


def test_an_unchanged_dict_writes_nothing(world: World) -> None:
    made = world.editor.result("package_create", draft_package())
    assert world.editor.result("package_update", made) == made
    loaded = world.admin.result("package_create", foreign_package())
    assert world.admin.result("package_update", loaded) == loaded
    with world.platform.database.reading() as session:
        for name in (made["name"], loaded["name"]):
            entry = find_entry(session, name)
            assert entry is not None
            assert [v.row_version for v in list_versions(session, entry.id)] == [1]


@SQLITE
def test_what_differs_from_what_was_shown_counts(world: World) -> None:
    made = world.editor.result("package_create", draft_package())
    for extra in made["extras"]:
        if extra["key"] == "frequency":
            extra["value"] = "每周"  # jl_update_frequency is sent back unchanged
    saved = world.editor.result("package_update", made)
    assert extras(saved)["jl_update_frequency"] == "weekly"


@SQLITE
def test_fields_that_no_answer_shows_are_kept(world: World) -> None:
    basis = '[{"kind": "law", "title": "公路法", "article": "第八条"}]'
    package = draft_package()
    package["extras"] += [
        {"key": "jl_collection_basis", "value": basis},
        {"key": "jl_security_level", "value": "1"},
    ]
    made = world.editor.result("package_create", package)
    plain = [
        e for e in made["extras"] if e["key"] not in ("jl_collection_basis", "jl_security_level")
    ]
    saved = world.editor.result("package_update", {**made, "title": "新的标题", "extras": plain})
    assert extras(saved)["jl_security_level"] == "1"
    assert "公路法" in extras(saved)["jl_collection_basis"]


@SQLITE
def test_the_responsible_department_revises_what_is_published(world: World) -> None:
    name = world.publish(Catalogue.published)
    before = world.visitor.get("package_show", id=name)["result"]
    assert world.editor.refused("package_patch", id=name, title="编目员无权修订")[0] == 403
    draft = world.department.result("package_patch", id=name, title="修订中的标题")
    assert draft["title"] == "修订中的标题"
    assert world.visitor.get("package_show", id=name)["result"]["title"] == before["title"]
    again = world.editor.result(
        "package_patch", id=name, notes="同一草稿里继续修改的摘要，写得更清楚一些。"
    )
    assert again["title"] == "修订中的标题"
    shown = world.department.result("package_show", id=name, include_draft=True)
    assert shown["title"] == "修订中的标题"
    status, error = world.admin.refused("package_patch", id=name, title="导入")
    assert (status, error["__type"]) == (409, "Validation Error")


def test_an_administrator_publishes(world: World) -> None:
    package = foreign_package()
    made = world.admin.result("package_create", package)
    for key in ("id", "name", "title", "notes", "license_id", "license_title", "author", "url",
                "version", "harvest_note", "metadata_created", "metadata_modified"):  # fmt: skip
        assert made[key] == package[key], key
    assert (made["private"], made["state"]) == (False, "active")
    assert made["organization"]["name"] == "fusong-data"
    assert made["owner_org"] == package["owner_org"]
    assert {e["key"]: e["value"] for e in package["extras"]}.items() <= extras(made).items()
    assert extras(made)["jl_open_state"] == "open"
    assert made["resources"][0].items() >= package["resources"][0].items()
    assert world.visitor.get("package_show", id=package["id"])["result"]["name"] == package["name"]


def test_an_administrator_updates_patches_and_keeps_newer_times(world: World) -> None:
    made = world.admin.result("package_create", foreign_package())
    changed = world.admin.result("package_update", {**made, "title": "新的标题"})
    assert (changed["title"], extras(changed)["jl_version"]) == ("新的标题", "2")
    assert changed["metadata_modified"] > made["metadata_modified"]
    stated = world.admin.result(
        "package_patch", id=made["id"], notes="改", metadata_modified="2031-01-01T00:00:00"
    )
    assert stated["metadata_modified"] == "2031-01-01T00:00:00.000000"
    status, error = world.admin.refused("package_update", {**made, "title": "旧的改动"})
    assert (status, list(error)) == (409, ["metadata_modified", "__type"])
    resources = [
        {**stated["resources"][0], "name": "改名.csv"},
        {"url": "https://x.cn/b.json", "name": "b", "format": "JSON"},
    ]
    two = world.admin.result("package_patch", id=made["id"], resources=resources)
    assert [r["name"] for r in two["resources"]] == ["改名.csv", "b"]
    assert two["resources"][0]["id"] == made["resources"][0]["id"]
    one = world.admin.result("package_patch", id=made["id"], resources=two["resources"][1:])
    assert [r["name"] for r in one["resources"]] == ["b"]


def test_an_administrator_retires_and_an_editor_discards(world: World) -> None:
    made = world.admin.result("package_create", foreign_package())
    world.admin.result("package_delete", id=made["id"])
    world.admin.result("package_delete", id=made["id"])
    assert world.visitor.refused("package_show", id=made["id"])[0] == 404
    draft = world.editor.result("package_create", draft_package())
    assert world.stranger.refused("package_delete", id=draft["id"])[0] == 403
    world.editor.result("package_delete", id=draft["id"])
    assert state_of(world, draft["name"]) == "discarded"
    name = world.publish(Catalogue.published)
    assert world.editor.refused("package_delete", id=name)[0] == 403


@SQLITE
def test_an_organisation_writes_only_its_own(world: World) -> None:
    status, error = world.editor.refused("package_create", draft_package(owner_org="jl-hea"))
    assert (status, error["__type"]) == (403, "Authorization Error")
    made = world.editor.result("package_create", draft_package())
    assert world.stranger.refused("package_update", {**made, "title": "x"})[0] == 403
    status, error = world.editor.refused("package_patch", id=made["id"], owner_org="jl-hea")
    assert (status, list(error)) == (409, ["owner_org", "__type"])
    status, error = world.editor.refused("package_create", draft_package(owner_org="nowhere"))
    assert (status, list(error)) == (409, ["owner_org", "__type"])


@SQLITE
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": None}, "title"),
        ({"title": ["a"]}, "title"),
        ({"title": "长" * 201}, "title"),
        ({"name": "../etc/passwd"}, "name"),
        ({"name": "a b"}, "name"),
        ({"tags": "公路"}, "tags"),
        ({"tags": ["公路"]}, "tags"),
        ({"groups": [{"name": "no-theme"}]}, "groups"),
        ({"license_id": "no-licence"}, "license_id"),
        ({"extras": {"a": "b"}}, "extras"),
        ({"extras": [{"key": "jl_open_type", "value": "perhaps"}]}, "jl_open_type"),
        ({"extras": [{"key": "jl_items", "value": "[{bad"}]}, "jl_items"),
        ({"resources": {"url": "x"}}, "resources"),
        ({"resources": [{"url": "javascript:alert(1)"}]}, "url"),
        ({"resources": [{"name": "x"}]}, "url"),
        ({"resources": [{"url": 5}]}, "resources.url"),
        ({"private": "perhaps"}, "private"),
        ({"colour": "red"}, "colour"),
        ({"notes": "a\x00b"}, "notes"),
    ],
)
def test_what_bad_input_of_an_editor_gets(
    world: World, changes: dict[str, Any], field: str
) -> None:
    status, error = world.editor.refused("package_create", draft_package(**changes))
    assert (status, error["__type"]) == (409, "Validation Error")
    assert field in error, error
    assert world.editor.get("package_search", include_private=True)["result"]["count"] == 0


@SQLITE
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"owner_org": "", "organization": None}, "owner_org"),
        ({"owner_org": "nowhere", "organization": None}, "owner_org"),
        ({"organization": {"name": "Bad Name"}, "owner_org": ""}, "organization"),
        ({"private": True}, "private"),
        ({"state": "deleted"}, "state"),
        ({"id": "../../x"}, "id"),
    ],
)
def test_what_bad_input_of_an_administrator_gets(
    world: World, changes: dict[str, Any], field: str
) -> None:
    package = foreign_package(**changes)
    if field == "title":
        package["name"] = ""
    status, error = world.admin.refused("package_create", package)
    assert (status, error["__type"]) == (409, "Validation Error")
    assert field in error, error


@SQLITE
def test_taken_ids_and_names_are_named(world: World) -> None:
    first = world.editor.result("package_create", draft_package(name="road-plan"))
    for key in ("id", "name"):
        status, error = world.editor.refused("package_create", draft_package(**{key: first[key]}))
        assert (status, list(error)) == (409, [key, "__type"])
    loaded = world.admin.result("package_create", foreign_package())
    other = foreign_package()
    other["resources"][0]["id"] = loaded["resources"][0]["id"]
    assert "resources" in world.admin.refused("package_create", other)[1]


@SQLITE
def test_html_stays_text(world: World) -> None:
    title = "<script>alert(1)</script>路况"
    made = world.editor.result("package_create", draft_package(title=title))
    assert made["title"] == title
    response = world.editor.send("GET", "package_show", query_string={"id": made["id"]})
    assert response.headers["Content-Type"].startswith("application/json")
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def _upload(
    world: World, role: str, action: str, data: bytes, filename: str, /, **fields: str
) -> Any:
    form = {**fields, "upload": (io.BytesIO(data), filename)}
    response = world.callers[role].send(
        "POST", action, data=form, content_type="multipart/form-data"
    )
    return response.status_code, response.get_json()


def test_files_are_uploaded_and_replaced(world: World) -> None:
    made = world.editor.result("package_create", draft_package())
    data = "编码,名称\n000123,人民广场\n".encode()
    status, answer = _upload(
        world,
        "editor",
        "resource_create",
        data,
        "../../路段 表.csv",
        package_id=made["id"],
        name="路段",
    )
    assert status == 200
    resource = answer["result"]
    assert (resource["name"], resource["format"], resource["url_type"]) == ("路段", "CSV", "upload")
    assert resource["size"] == len(data)
    assert resource["url"].startswith(world.platform.settings.site_url + "/dataset/")
    assert ".." not in resource["url"]
    status, answer = _upload(
        world,
        "editor",
        "resource_update",
        data + b"000124,x\n",
        "b.csv",
        id=resource["id"],
        name="新",
    )
    assert (status, answer["result"]["name"]) == (200, "新")
    assert answer["result"]["hash"] != resource["hash"]
    patched = world.editor.result("resource_patch", id=resource["id"], description="说明")
    assert (patched["name"], patched["description"]) == ("新", "说明")
    world.editor.result("resource_delete", id=resource["id"])
    assert world.editor.refused("resource_show", id=resource["id"])[0] == 404
    assert world.editor.result("package_show", id=made["id"])["resources"] == []


@SQLITE
def test_files_that_are_none_are_refused(world: World) -> None:
    made = world.editor.result("package_create", draft_package())
    for data in (b"", b"\x00\x01\x02\xff" * 500):
        status, answer = _upload(
            world, "editor", "resource_create", data, "a.csv", package_id=made["id"]
        )
        assert (status, list(answer["error"])) == (409, ["upload", "__type"])
    for role in ("stranger", "visitor"):
        status, _ = _upload(
            world, role, "resource_create", b"a,b\n1,2\n", "a.csv", package_id=made["id"]
        )
        assert status == 403
    assert list(world.platform.storage.list()) == [] or made["num_resources"] == 0
    assert world.editor.result("package_show", id=made["id"])["resources"] == []


@pytest.mark.slow
def test_fifty_edits_at_once_lose_none(world: World) -> None:
    made = world.admin.result("package_create", foreign_package(tags=[]))

    def edit(number: int) -> bool:
        while True:
            read = world.admin.result("package_show", id=made["id"])
            tags = [*read["tags"], {"name": f"t{number}"}]
            response = world.admin.send("POST", "package_update", json={**read, "tags": tags})
            if response.status_code == 200:
                return True
            assert response.status_code == 409, response.data

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(edit, range(50)))
    final = world.admin.result("package_show", id=made["id"])
    assert {tag["name"] for tag in final["tags"]} == {f"t{number}" for number in range(50)}


@SQLITE
def test_a_stale_draft_is_a_conflict(world: World) -> None:
    made = world.editor.result("package_create", draft_package())
    world.editor.result("package_update", {**made, "title": "第一人的改动"})
    status, error = world.department.refused("package_update", {**made, "title": "第二人的改动"})
    assert (status, list(error)) == (409, ["metadata_modified", "__type"])
    with world.platform.database.reading() as session:
        entry = find_entry(session, made["name"])
        assert entry is not None
        version = find_unfinished_version(session, entry.id)
        assert version is not None
        assert version.title == "第一人的改动"
