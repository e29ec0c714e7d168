"""What this portal has not is refused in CKAN's shapes; what browsers ask first is answered."""

from __future__ import annotations

import pytest

from portal.api.not_here import ACTIONS
from portal.web.access import Access
from tests.factories import Catalogue
from tests.portal.api.conftest import World

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


@SQLITE
def test_what_is_done_elsewhere_says_where(world: World) -> None:
    for action in ACTIONS:
        assert action.help
        if action.access is Access.WRITE:
            status, error = world.admin.refused(action.name, {})
            assert (status, error["__type"]) == (403, "Authorization Error"), action.name
            assert len(error["message"]) > 10
            assert world.visitor.refused(action.name, {})[0] == 403
    assert world.visitor.send("GET", "user_create").status_code == 400
    assert world.visitor.result("term_translation_show") == []
    assert len(world.visitor.result("member_roles_list")) == 3
    assert world.visitor.refused("resource_view_show", {"id": "x"})[0] == 404


@SQLITE
def test_a_change_is_shown_by_the_id_of_the_stream(world: World) -> None:
    slug = world.publish(Catalogue.published)
    (first, *_) = world.visitor.result("package_activity_list", id=slug)
    assert world.visitor.result("activity_show", id=first["id"]) == first
    assert world.visitor.refused("activity_show", {"id": first["id"] + "1"})[0] == 404
    assert [one["object_id"] for one in world.visitor.result("group_activity_list", id="transport")]
    assert world.visitor.refused("group_activity_list", {"id": "none"})[0] == 404


@SQLITE
def test_notices_are_the_dashboard(world: World) -> None:
    count = world.editor.result("dashboard_new_activities_count")
    assert count >= 0
    world.editor.result("dashboard_mark_activities_old", {})
    assert world.editor.result("dashboard_new_activities_count") == 0
    own = world.editor.result("user_show")["name"]
    assert world.editor.result("user_activity_list", id=own) == []
    assert world.editor.refused("user_activity_list", {"id": "somebody"})[0] == 403
    assert [u["name"] for u in world.editor.result("user_autocomplete", q=own[:3])] == [own]
    assert world.editor.result("user_autocomplete", q="none-such") == []


@SQLITE
def test_a_page_of_another_site_may_call(world: World) -> None:
    client = world.app.test_client()
    asked = {
        "Origin": "https://apps.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    first = client.options("/api/3/action/package_search", headers=asked)
    assert first.status_code == 200
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    allowed = first.headers["Access-Control-Allow-Headers"].lower()
    assert "authorization" in allowed and "content-type" in allowed
    assert "POST" in first.headers["Access-Control-Allow-Methods"]
    for path in ("/api/3/action/site_read", "/api/3/action/nope", "/api/3"):
        answer = client.get(path, headers={"Origin": "https://apps.example"})
        assert answer.headers["Access-Control-Allow-Origin"] == "*", path
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert client.head("/api/3/action/site_read").status_code == 200
