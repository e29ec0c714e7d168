"""Every action says who may call it, and is refused to everybody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.api.action import Action, NoInput, table_of
from portal.api.core import CORE_ACTIONS
from portal.app import create_app
from portal.extension import Extension
from portal.platform import Platform
from portal.web.access import Access
from tests.portal.api.conftest import World

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])
WRITES = [a.name for a in CORE_ACTIONS if a.access is Access.WRITE]
WANTED = [
    "status_show",
    "site_read",
    "package_list",
    "package_search",
    "package_show",
    "package_create",
    "package_update",
    "package_patch",
    "package_delete",
    "resource_create",
    "resource_show",
    "resource_update",
    "resource_patch",
    "resource_delete",
    "organization_list",
    "organization_show",
    "organization_create",
    "group_list",
    "group_show",
    "tag_list",
    "tag_show",
    "license_list",
    "user_show",
    "organization_list_for_user",
    "package_autocomplete",
    "datastore_search",
    "help_show",
]


def test_what_clients_need_is_there() -> None:
    assert set(WANTED) <= {action.name for action in CORE_ACTIONS}


@SQLITE
def test_the_anonymous_caller_is_refused_wherever_it_is_not_public(world: World) -> None:
    for action in world.app.extensions["xiangyun_actions"].values():
        if action.access is not Access.PUBLIC:
            status, error = world.visitor.refused(action.name)
            assert (status, error["__type"]) == (403, "Authorization Error"), action.name


@SQLITE
def test_every_write_by_get_is_refused(world: World) -> None:
    for action in world.app.extensions["xiangyun_actions"].values():
        if action.access is Access.WRITE:
            for caller in (world.visitor, world.admin):
                response = caller.send("GET", action.name, query_string={"id": "x"})
                assert response.status_code == 400, action.name


@SQLITE
def test_only_an_administrator_makes_organisations(world: World) -> None:
    wanted = {"name": "new-office", "title": "新机构"}
    for role in ("editor", "department", "reviewer"):
        assert world.callers[role].refused("organization_create", wanted)[0] == 403
    made = world.admin.result("organization_create", wanted)
    assert (made["name"], made["title"]) == ("new-office", "新机构")
    status, error = world.admin.refused("organization_create", wanted)
    assert (status, list(error)) == (409, ["name", "__type"])
    status, error = world.admin.refused("organization_create", {"name": "Bad Name!"})
    assert (status, list(error)) == (409, ["name", "__type"])


@SQLITE
def test_nobody_learns_of_other_accounts(world: World) -> None:
    assert world.visitor.refused("user_show", {"id": "admin"})[0] == 404
    assert world.editor.refused("user_show", {"id": "admin"})[0] == 403
    assert world.admin.result("user_show", {"id": "editor"})["name"] == "editor"


def test_an_extension_adds_actions(make_platform: Callable[..., Platform]) -> None:
    def echo(_call: object, _given: object) -> str:
        """Say so."""
        return "said"

    action = Action("echo_show", Access.READ, echo, NoInput)
    with pytest.raises(ValueError, match="twice"):
        table_of((action, action))
    platform = make_platform()
    platform.extensions = (*platform.extensions, Extension("echo", actions=(action,)))
    client = create_app(platform).test_client()
    assert client.get("/api/3/action/echo_show").status_code == 403
