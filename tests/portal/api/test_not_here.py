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
    assert "authorization" in allowed
    assert "content-type" in allowed
    assert "POST" in first.headers["Access-Control-Allow-Methods"]
    for path in ("/api/3/action/site_read", "/api/3/action/nope", "/api/3"):
        answer = client.get(path, headers={"Origin": "https://apps.example"})
        assert answer.headers["Access-Control-Allow-Origin"] == "*", path
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert client.head("/api/3/action/site_read").status_code == 200


@SQLITE
def test_a_script_tag_gets_what_everybody_may_read(world: World) -> None:
    client = world.app.test_client()
    wrapped = client.get("/api/3/action/site_read?callback=site.take_1")
    assert wrapped.mimetype == "application/javascript"
    assert wrapped.text.startswith("/**/site.take_1({")
    assert wrapped.text.endswith("});")
    for name in ("alert(1)//", "a b", "", "x" * 101, "</script>"):
        plain = client.get("/api/3/action/site_read", query_string={"callback": name})
        assert plain.get_json()["result"] is True
    token = {"Authorization": world.editor.token}
    own = client.get("/api/3/action/user_show?callback=take", headers=token)
    assert own.get_json()["success"] is True


@SQLITE
def test_organisations_themes_and_keywords_come_with_their_data_sets(world: World) -> None:
    slug = world.publish(Catalogue.published)
    package = world.visitor.result("package_show", id=slug)
    for action, key in (
        ("organization_show", "jl-tra"),
        ("group_show", "transport"),
        ("tag_show", package["tags"][0]["name"]),
    ):
        assert "packages" not in world.visitor.result(action, id=key)
        found = world.visitor.result(action, id=key, include_datasets="true")["packages"]
        assert [one["name"] for one in found] == [slug], action


@SQLITE
def test_a_number_is_taken_for_a_text(world: World) -> None:
    status, error = world.visitor.refused("package_show", {"id": 5})
    assert (status, error["__type"]) == (404, "Not Found Error")


@SQLITE
@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("/organization", "/organisation"),
        ("/organization/jl-tra", "/organisation/jl-tra"),
        ("/group", "/themes"),
        ("/group/transport", "/dataset?theme=transport"),
        ("/dataset/a/resource/b", "/dataset/a?table=b#files"),
        ("/dataset/a.xml", "/dataset/a.rdf"),
        ("/catalog.xml", "/catalog.rdf"),
        ("/feeds/dataset.atom", "/feeds/recent.atom"),
        ("/feeds/organization/jl-tra.atom", "/feeds/organisation/jl-tra.atom"),
        ("/feeds/group/transport.atom", "/feeds/theme/transport.atom"),
    ],
)
def test_addresses_of_ckan_lead_to_ours(world: World, address: str, place: str) -> None:
    answer = world.app.test_client().get(address)
    assert (answer.status_code, answer.headers["Location"]) == (301, place)
