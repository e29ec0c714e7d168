"""Actions that catalogue tools ask for beside packages: lists, tokens, revisions, organisations."""

from __future__ import annotations

import pytest

from tests.portal.api.conftest import World
from tests.portal.api.packages import draft_package

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


def open_entry(world: World) -> str:
    return world.publish(lambda catalogue: catalogue.opened())


@SQLITE
def test_autocompletion_of_organisations_groups_and_formats(world: World) -> None:
    found = world.visitor.get("organization_autocomplete", q="交通")["result"]
    assert "jl-tra" in [one["name"] for one in found]
    assert world.visitor.get("organization_autocomplete", q="%")["result"] == []
    assert world.visitor.get("organization_autocomplete", q="_")["result"] == []
    themes = world.visitor.get("group_autocomplete", q="交通")["result"]
    assert [one["name"] for one in themes] == ["transport"]
    assert "CSV" in world.visitor.get("format_autocomplete", q="cs")["result"]


@SQLITE
def test_whole_packages_by_their_newest_change(world: World) -> None:
    names = [open_entry(world), open_entry(world)]
    found = world.visitor.get("current_package_list_with_resources", limit=10)["result"]
    assert {one["name"] for one in found} == set(names)
    assert found[0]["resources"][0]["url"].startswith("http")
    assert len(world.visitor.get("current_package_list_with_resources", limit=1)["result"]) == 1


@SQLITE
def test_resources_are_found_by_field_and_only_public_ones(world: World) -> None:
    name = open_entry(world)
    draft = world.editor.result("package_create", draft_package())
    world.editor.result(
        "resource_create",
        package_id=draft["id"],
        url="https://a.example/secret.csv",
        name="草稿文件",
    )
    (resource,) = world.visitor.get("package_show", id=name)["result"]["resources"]
    found = world.visitor.get("resource_search", query=f"name:{resource['name'][:3]}")["result"]
    assert [one["id"] for one in found["results"]] == [resource["id"]]
    assert found["count"] == 1
    assert world.visitor.get("resource_search", query="url:secret")["result"]["count"] == 0
    assert world.visitor.get("resource_search", query="name:%")["result"]["count"] == 0
    status, error = world.visitor.refused("resource_search", query="password:x")
    assert (status, list(error)) == (409, ["query", "__type"])


@SQLITE
def test_members_and_accounts_are_shown_to_administrators_alone(world: World) -> None:
    open_entry(world)
    public = world.visitor.get("member_list", id="jl-tra")["result"]
    assert [one[1] for one in public] == ["package"]
    all_of_them = world.admin.get("member_list", id="jl-tra")["result"]
    assert {one[1] for one in all_of_them} == {"package", "user"}
    assert world.visitor.refused("user_list")[0] == 403
    assert world.editor.refused("user_list")[0] == 403
    assert "editor" in [one["name"] for one in world.admin.get("user_list")["result"]]


@SQLITE
def test_what_does_not_exist_here_is_an_empty_list_or_refused(world: World) -> None:
    name = open_entry(world)
    (resource,) = world.visitor.get("package_show", id=name)["result"]["resources"]
    assert world.visitor.get("package_relationships_list", id=name)["result"] == []
    assert world.visitor.get("resource_view_list", id=resource["id"])["result"] == []
    assert world.visitor.get("vocabulary_list")["result"] == []
    for caller in (world.visitor, world.editor, world.admin):
        assert caller.refused("config_option_list")[0] == 403
    draft = world.editor.result("package_create", draft_package())
    assert world.visitor.refused("package_relationships_list", id=draft["id"])[0] == 403


@SQLITE
def test_a_token_is_made_listed_and_revoked_by_its_owner(world: World) -> None:
    token = world.editor.result("api_token_create", name="夜间任务")["token"]
    (made,) = [t for t in world.editor.result("api_token_list") if t["name"] == "夜间任务"]
    assert token not in str(world.editor.result("api_token_list"))
    assert world.stranger.refused("api_token_list", user="editor")[0] == 403
    assert world.stranger.refused("api_token_revoke", jti=made["id"])[0] == 404
    assert world.stranger.refused("api_token_revoke", token=token)[0] == 404
    world.editor.result("api_token_revoke", token=token)
    assert world.editor.refused("api_token_revoke", jti=made["id"])[0] == 404
    headers = {"Authorization": token}
    refused = world.visitor.send("POST", "api_token_list", json={}, headers=headers)
    assert refused.status_code == 403


@SQLITE
def test_activities_are_the_public_change_log(world: World) -> None:
    name = open_entry(world)
    stream = world.visitor.get("package_activity_list", id=name)["result"]
    assert {"向公众开放", "发布目录"} <= {one["data"]["title"] for one in stream}
    assert all(one["user_id"] is None for one in stream)
    for action in ("recently_changed_packages_activity_list", "organization_activity_list"):
        found = world.visitor.get(action, id="jl-tra")["result"]
        assert len(found) == 1


def test_revise_changes_parts_if_the_package_still_matches(world: World) -> None:
    draft = world.editor.result("package_create", draft_package(title="旧题目"))
    world.editor.result(
        "resource_create", package_id=draft["id"], url="https://a.example/1.csv", name="一"
    )
    answer = world.editor.result(
        "package_revise",
        {
            "match": {"id": draft["id"], "title": "旧题目"},
            "update": {"title": "新题目"},
            "update__resources__0__name": "第一个",
        },
    )
    assert answer["package"]["title"] == "新题目"
    assert [one["name"] for one in answer["package"]["resources"]] == ["第一个"]
    status, _ = world.editor.refused(
        "package_revise",
        {"match": {"id": draft["id"], "title": "旧题目"}, "update": {"title": "三"}},
    )
    assert status == 404
    gone = world.editor.result(
        "package_revise", {"match__id": draft["id"], "filter": ["-resources__*"]}
    )
    assert gone["package"]["resources"] == []


@SQLITE
@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"match": {}},
        {"match": "x"},
        {"filter": ["title"]},
        {"update__resources__7__name": "x"},
        {"update__title__deep__er": "x"},
        {"update": "no object"},
    ],
)
def test_a_faulty_revision_is_named_and_changes_nothing(
    bad: dict[str, object], world: World
) -> None:
    draft = world.editor.result("package_create", draft_package(title="题目"))
    whole = {"match": {"id": draft["id"]}, **bad} if bad and "match" not in bad else bad
    status, error = world.editor.refused("package_revise", whole)
    assert status in (400, 409)
    assert error["__type"] == "Validation Error"
    shown = world.editor.get("package_show", id=draft["id"], include_draft=True)["result"]
    assert shown["title"] == "题目"


@SQLITE
def test_strangers_revise_nothing(world: World) -> None:
    draft = world.editor.result("package_create", draft_package())
    for caller in (world.visitor, world.stranger):
        status, _ = caller.refused("package_revise", {"match": {"id": draft["id"]}})
        assert status == 403


def test_an_organisation_is_changed_and_its_data_sets_say_so(world: World) -> None:
    name = open_entry(world)
    world.admin.result("organization_patch", id="jl-tra", title="吉林省交通运输厅（新）")
    world.index()
    shown = world.visitor.get("package_show", id=name)["result"]
    assert shown["organization"]["title"] == "吉林省交通运输厅（新）"
    assert world.editor.refused("organization_patch", id="jl-tra", title="x")[0] == 403
    assert world.admin.refused("organization_patch", id="jl-tra", title=" ")[0] == 409


@SQLITE
def test_an_organisation_with_data_is_not_deleted(world: World) -> None:
    open_entry(world)
    assert world.admin.refused("organization_delete", id="jl-tra")[0] == 409
    world.admin.result("organization_create", name="new-one", title="新机构")
    world.admin.result("organization_delete", id="new-one")
    assert world.visitor.refused("organization_show", id="new-one")[0] == 404
