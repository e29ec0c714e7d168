"""Everything that clients of CKAN ask for has a name here, a documentation, and an honest answer."""

from __future__ import annotations

import pytest

from portal.api.core import CORE_ACTIONS
from tests.portal.api.conftest import World
from tests.portal.api.packages import draft_package

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])
ASKED = [
    "api_token_create",
    "api_token_list",
    "api_token_revoke",
    "bulk_update_delete",
    "config_option_list",
    "current_package_list_with_resources",
    "dashboard_activity_list",
    "datastore_create",
    "datastore_delete",
    "datastore_info",
    "datastore_search",
    "datastore_search_sql",
    "datastore_upsert",
    "group_create",
    "group_list",
    "group_show",
    "help_show",
    "license_list",
    "member_list",
    "organization_autocomplete",
    "organization_create",
    "organization_delete",
    "organization_list",
    "organization_list_for_user",
    "organization_patch",
    "organization_show",
    "organization_update",
    "package_activity_list",
    "package_autocomplete",
    "package_create",
    "package_delete",
    "package_list",
    "package_patch",
    "package_relationships_list",
    "package_revise",
    "package_search",
    "package_show",
    "package_update",
    "resource_create",
    "resource_delete",
    "resource_patch",
    "resource_search",
    "resource_show",
    "resource_update",
    "resource_view_list",
    "site_read",
    "status_show",
    "tag_list",
    "tag_show",
    "user_list",
    "user_show",
    "vocabulary_list",
]


def test_every_action_is_there_and_says_what_it_does() -> None:
    known = {action.name: action for action in CORE_ACTIONS}
    assert set(ASKED) <= set(known)
    for name, action in known.items():
        assert action.handler.__doc__, name


@SQLITE
def test_help_is_made_from_the_code(world: World) -> None:
    found = world.visitor.get("help_show", name="datastore_upsert")["result"]
    assert "Access: a token, by POST." in found
    assert "  resource_id: string, required" in found
    assert "  method: string, one of upsert, insert, update, default upsert" in found
    for name in ("resource_create", "status_show", "package_search", "follow_dataset"):
        assert "Access:" in world.visitor.get("help_show", name=name)["result"]
    assert "upload: file" in world.visitor.get("help_show", name="resource_create")["result"]


@SQLITE
def test_data_sets_go_all_together_or_not_at_all(world: World) -> None:
    names = [world.editor.result("package_create", draft_package())["name"] for _ in range(2)]
    foreign = world.stranger.result("package_create", draft_package(owner_org="jl-hea"))["name"]
    asked = {"datasets": [*names, foreign], "org_id": "jl-tra"}
    assert world.editor.refused("bulk_update_delete", asked)[0] in (403, 404)
    assert world.editor.post("package_show", id=names[0])["success"]
    assert world.stranger.refused("bulk_update_delete", {**asked, "datasets": names})[0] == 403
    world.editor.result("bulk_update_delete", datasets=names, org_id="jl-tra")
    shown = [world.visitor.post("package_show", id=name)["success"] for name in names]
    assert shown == [False, False]


@SQLITE
def test_what_nobody_may_is_refused_with_the_reason(world: World) -> None:
    name = world.publish(lambda catalogue: catalogue.opened())
    for caller in (world.editor, world.admin):
        for action in ("bulk_update_private", "bulk_update_public"):
            assert caller.refused(action, datasets=[name], org_id="jl-tra")[0] == 403
        status, error = caller.refused("dataset_purge", id=name)
        assert (status, "package_delete" in error["message"]) == (403, True)
        assert caller.refused("group_create", name="new-theme")[0] == 403
        assert caller.refused("group_create", name="transport")[0] == 409
        assert caller.refused("group_delete", id="transport")[0] == 403
        assert caller.refused("group_patch", id="nobody")[0] == 404
    assert world.visitor.refused("vocabulary_show", id="x")[0] == 404


@SQLITE
def test_what_stands_under_a_theme_and_a_keyword(world: World) -> None:
    name = world.publish(lambda catalogue: catalogue.opened())
    found = world.visitor.get("group_package_show", id="transport")["result"]
    assert [one["name"] for one in found] == [name]
    assert world.visitor.get("tag_autocomplete", q="公")["result"] == ["公交"]
    assert world.visitor.get("tag_search", query="站")["result"]["count"] == 1
    newest = world.editor.get("dashboard_activity_list")["result"]
    package = world.visitor.get("package_show", id=name)["result"]
    assert [one["object_id"] for one in newest] == [package["id"]]
    assert world.stranger.get("dashboard_activity_list")["result"] == []
    assert world.editor.get("group_list_authz")["result"] == []


@SQLITE
def test_resources_are_put_into_another_order(world: World) -> None:
    draft = world.editor.result("package_create", draft_package())
    ids = [
        world.editor.result(
            "resource_create", package_id=draft["id"], url=f"https://a.example/{n}", name=str(n)
        )["id"]
        for n in range(3)
    ]
    order = [ids[2], ids[0]]
    answer = world.editor.result("package_resource_reorder", id=draft["id"], order=order)
    assert answer["order"] == [ids[2], ids[0], ids[1]]
    shown = world.editor.result("package_show", id=draft["id"])
    assert [one["id"] for one in shown["resources"]][-3:] == answer["order"]
    wrong = {"id": draft["id"], "order": ["nobody"]}
    assert world.editor.refused("package_resource_reorder", wrong)[0] == 409
    assert world.stranger.refused("package_resource_reorder", wrong)[0] == 403
