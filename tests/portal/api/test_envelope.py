"""The envelope, the error types and the status codes that CKAN's clients rely on."""

from __future__ import annotations

import json

import pytest

from tests.factories import Catalogue
from tests.portal.api.conftest import World
from tests.portal.api.packages import draft_package

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])
JSON = "application/json;charset=utf-8"


def test_success_has_the_keys_in_order(world: World) -> None:
    response = world.visitor.send("GET", "status_show")
    assert response.headers["Content-Type"] == JSON
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert list(json.loads(response.data)) == ["help", "success", "result"]
    assert response.get_json()["help"].endswith("/api/3/action/help_show?name=status_show")


@SQLITE
def test_both_paths_and_the_version_answers(world: World) -> None:
    for path in ("/api/3/action/", "/api/action/"):
        assert world.visitor.send("GET", "site_read", path=path).get_json()["result"] is True
    client = world.app.test_client()
    assert client.get("/api/3").get_json() == {"version": 3}
    assert client.get("/api").get_json() == {"version": 1}


@SQLITE
def test_not_found_is_404(world: World) -> None:
    response = world.visitor.send("GET", "package_show", query_string={"id": "nowhere"})
    body = json.loads(response.data)
    assert response.status_code == 404
    assert list(body) == ["help", "error", "success"]
    assert body["error"]["__type"] == "Not Found Error"


@SQLITE
def test_a_denied_call_is_403(world: World) -> None:
    status, error = world.visitor.refused("package_create", draft_package())
    assert (status, error["__type"]) == (403, "Authorization Error")


@SQLITE
def test_wrong_input_is_409_by_field(world: World) -> None:
    status, error = world.visitor.refused("package_search", rows="many", start=-1)
    assert (status, error["__type"]) == (409, "Validation Error")
    assert error["rows"] == ["“rows”应为整数。"]
    assert error["start"] == ["“start”不能小于0。"]
    status, error = world.visitor.refused("package_show")
    assert (status, list(error)) == (409, ["name_or_id", "__type"])


@SQLITE
def test_messages_follow_the_language(world: World) -> None:
    found = world.visitor.send(
        "GET", "package_show", query_string={"id": "x"}, headers={"Accept-Language": "en"}
    ).get_json()["error"]["message"]
    assert found  # English where a translation stands, else the Chinese sentence


@SQLITE
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"sort": "foo desc"}, "foo"),
        ({"sort": "title_string sideways"}, "sideways"),
        ({"fq": "colour:red"}, "colour"),
        ({"q": "colour:red"}, "colour"),
        ({"fq": "organization:(x +state:(active)"}, "语法"),
        ({"fq": "red"}, "red"),
        ({"fq": "tags:w*t"}, "通配符"),
        ({"fq": "tags:a AND (groups:b OR colour:c)"}, "第25个字符"),
        ({"fq": "tags:a OR) groups:b"}, "第10个字符"),
        ({"q": "公交 colour:red"}, "第4个字符"),
        ({"fq": "groups:[a TO b]"}, "范围"),
        ({"fq": "tags:" + "(" * 500 + "a" + ")" * 500}, "嵌套太深"),
        ({"fq": "NOT " * 900 + "tags:a"}, "嵌套太深"),
        ({"fq": " ".join(["tags:a"] * 600)}, "最多4000个字符"),
        ({"ext_bbox": "1,2,3"}, "ext_bbox"),
        ({"ext_bbox": "3,2,1,4"}, "ext_bbox"),
        ({"ext_bbox": "nan,nan,nan,nan"}, "ext_bbox"),
        ({"fq": "metadata_modified:yesterday"}, "范围"),
        ({"fq": "metadata_modified:[then TO now]"}, "时间"),
        ({"fq": "(" * 3000}, "语法"),
        ({"facet.field": '["author"]'}, "author"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_search_that_cannot_be_understood_is_400(
    world: World, query: dict[str, str], words: str
) -> None:
    response = world.visitor.send("GET", "package_search", query_string=query)
    error = response.get_json()["error"]
    assert (response.status_code, error["__type"]) == (400, "Search Query Error")
    assert words in error["message"]


@SQLITE
def test_an_unknown_action_and_a_write_by_get_are_bare_strings(world: World) -> None:
    for name, words in (("nope", "Action name not known: nope"), ("package_create", "POST")):
        response = world.visitor.send("GET", name)
        assert response.status_code == 400
        assert isinstance(response.get_json(), str)
        assert words in response.get_json()


@SQLITE
@pytest.mark.parametrize(
    "body",
    ["{bad", "[1]", '"text"', '{"id": "\\ud800"}', "{" * 5000, '{"a":' + "[" * 70 + "]" * 70 + "}"],
)
def test_malformed_json_is_a_bare_string(world: World, body: str) -> None:
    response = world.editor.send(
        "POST", "package_create", data=body, content_type="application/json"
    )
    assert response.status_code == 400
    assert response.get_json().startswith("Bad request - JSON Error")


@SQLITE
def test_clients_are_forgiven_how_they_ask(world: World) -> None:
    ask = {"query_string": {"id": "x"}, "content_type": "application/json"}
    assert world.visitor.send("GET", "package_show", **ask).status_code == 404
    form = world.visitor.send("POST", "group_show", data={"id": "transport"})
    assert form.get_json()["result"]["name"] == "transport"
    as_form = world.visitor.send(
        "POST",
        "group_show",
        data='{"id": "transport"}',
        content_type="application/x-www-form-urlencoded",
    )
    assert as_form.get_json()["result"]["name"] == "transport"


@SQLITE
def test_any_of_the_headers_identifies_and_a_bad_token_is_anonymous(world: World) -> None:
    token = world.editor.token
    for headers in (
        {"Authorization": token},
        {"Authorization": f"Bearer {token}"},
        {"Authorization": "", "X-CKAN-API-Key": token},
    ):
        found = world.visitor.send("GET", "user_show", headers=headers).get_json()
        assert found["result"]["name"] == "editor"
    bad = world.visitor.send("GET", "user_show", headers={"Authorization": "wrong"})
    assert bad.status_code == 404
    assert (
        world.visitor.send("GET", "site_read", headers={"Authorization": "wrong"}).status_code
        == 200
    )


@SQLITE
def test_a_cookie_identifies_nobody(world: World) -> None:
    client = world.app.test_client()
    with client.session_transaction() as cookie:
        cookie["token"] = "anything"
    assert client.post("/api/3/action/package_create", json={}).status_code == 403


@SQLITE
def test_help_says_what_an_action_takes(world: World) -> None:
    assert "facet.field" in world.visitor.get("help_show", name="package_search")["result"]


@SQLITE
def test_an_etag_saves_the_second_answer(world: World) -> None:
    name = world.publish(Catalogue.published)
    first = world.visitor.send("GET", "package_show", query_string={"id": name})
    again = world.visitor.send(
        "GET",
        "package_show",
        query_string={"id": name},
        headers={"If-None-Match": first.headers["ETag"]},
    )
    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")


@SQLITE
def test_a_search_engine_that_is_down_is_503(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = world.platform.settings.search_folder
    world.publish(Catalogue.published)
    current = folder / "current"
    current.write_text("no-such-generation", encoding="ascii")
    response = world.visitor.send("GET", "package_search")
    error = response.get_json()["error"]
    assert response.status_code == 503
    assert error["message"].startswith("检索服务暂时不可用")
