"""What readers get: the keys that CKAN gives, our names behind them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from tests.factories import Catalogue
from tests.portal.api.conftest import World
from tests.portal.api.packages import foreign_package

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])
PACKAGE_KEYS = {
    "author", "author_email", "creator_user_id", "id", "isopen", "license_id", "license_title",
    "license_url", "maintainer", "maintainer_email", "metadata_created", "metadata_modified",
    "name", "notes", "num_resources", "num_tags", "organization", "owner_org", "private", "state",
    "title", "type", "url", "version", "extras", "groups", "resources", "tags",
    "relationships_as_subject", "relationships_as_object",
}  # fmt: skip
RESOURCE_KEYS = {
    "cache_last_updated", "cache_url", "created", "datastore_active", "description", "format",
    "hash", "id", "last_modified", "metadata_modified", "mimetype", "mimetype_inner", "name",
    "package_id", "position", "resource_type", "size", "state", "url", "url_type",
}  # fmt: skip
ORGANIZATION_KEYS = {
    "approval_status", "created", "description", "display_name", "id", "image_display_url",
    "image_url", "is_organization", "name", "num_followers", "package_count", "state", "title",
    "type",
}  # fmt: skip
USER_KEYS = {
    "id", "name", "fullname", "created", "about", "last_active", "sysadmin", "state", "image_url",
    "activity_streams_email_notifications", "display_name", "email_hash",
    "number_created_packages", "image_display_url",
}  # fmt: skip
LICENCE_KEYS = {
    "domain_content", "id", "domain_data", "domain_software", "family", "is_generic",
    "od_conformance", "osd_conformance", "maintainer", "status", "url", "title",
}  # fmt: skip
SHORT_ORGANIZATION_KEYS = {
    "id", "name", "title", "type", "description", "image_url", "created", "is_organization",
    "approval_status", "state",
}  # fmt: skip
TAG_KEYS = {"display_name", "id", "name", "state", "vocabulary_id"}


def test_a_package_has_the_keys_of_ckan(world: World) -> None:
    name = world.publish(lambda catalogue: catalogue.opened())
    shown = world.visitor.get("package_show", id=name)["result"]
    assert set(shown) == PACKAGE_KEYS
    assert set(shown["resources"][0]) == RESOURCE_KEYS
    assert set(shown["organization"]) == SHORT_ORGANIZATION_KEYS
    assert set(shown["tags"][0]) == TAG_KEYS
    assert shown["private"] is False
    datetime.fromisoformat(shown["metadata_modified"])
    assert "." in shown["metadata_modified"]
    assert shown["resources"][0]["url"].startswith(world.platform.settings.site_url + "/dataset/")
    for key in ("id", "name"):
        assert world.visitor.get("package_show", id=shown[key])["result"]["id"] == shown["id"]


@SQLITE
def test_the_kept_document_and_a_fresh_one_say_the_same(world: World) -> None:
    name = world.publish(lambda catalogue: catalogue.opened())
    kept = world.visitor.get("package_show", id=name)["result"]
    world.admin.result(
        "package_patch", id=name, notes="新的摘要，比原来的更清楚，写明数据的内容和范围。"
    )
    fresh = world.visitor.get("package_show", id=name)["result"]
    world.index()
    assert world.visitor.get("package_show", id=name)["result"] == fresh
    assert {k for k in kept if kept[k] != fresh[k]} == {
        "notes",
        "metadata_modified",
        "version",
        "extras",
    }


@SQLITE
def test_internal_fields_stay_inside(world: World) -> None:
    name = world.publish(Catalogue.published)
    text = json.dumps(world.visitor.get("package_show", id=name))
    for key in ("jl_security_level", "jl_share_condition", "jl_collection_basis", "jl_share_basis"):
        assert key not in text
    draft = world.editor.result("package_show", id=name, include_draft=True)
    assert "jl_security_level" in {e["key"] for e in draft["extras"]}
    assert "jl_security_level" not in json.dumps(
        world.stranger.refused("package_show", id=name, include_draft=True)
    )


def test_lists_have_the_keys_of_ckan(world: World) -> None:
    name = world.publish(lambda catalogue: catalogue.opened())
    visitor = world.visitor
    assert visitor.get("package_list")["result"] == [name]
    assert visitor.get("package_list", limit=0)["result"] == []
    organization = visitor.get("organization_show", id="jl-tra")["result"]
    assert set(organization) >= ORGANIZATION_KEYS | {"users", "extras", "groups"}
    assert organization["package_count"] == 1
    listed = visitor.get("organization_list", all_fields=1, organizations="jl-tra")["result"]
    assert set(listed[0]) >= ORGANIZATION_KEYS
    group = next(
        g for g in visitor.get("group_list", all_fields=1)["result"] if g["name"] == "transport"
    )
    assert (set(group) >= ORGANIZATION_KEYS - {"display_name"}, group["package_count"]) == (True, 1)
    assert visitor.get("group_show", id="transport")["result"]["package_count"] == 1
    assert set(visitor.get("license_list")["result"][0]) >= LICENCE_KEYS
    assert set(visitor.get("tag_list")["result"]) == {"公交", "站点"}
    assert visitor.get("tag_show", id="公交")["result"]["vocabulary_id"] is None
    assert set(world.editor.get("user_show")["result"]) >= USER_KEYS


@SQLITE
def test_missing_things_are_404(world: World) -> None:
    for action in ("organization_show", "group_show", "tag_show", "resource_show", "help_show"):
        assert (
            world.visitor.send("GET", action, query_string={"id": "no", "name": "no"}).status_code
            == 404
        )


@SQLITE
def test_organisations_of_the_caller(world: World) -> None:
    assert world.visitor.get("organization_list_for_user")["result"] == []
    own = world.editor.get("organization_list_for_user")["result"]
    assert [(one["name"], one["capacity"]) for one in own] == [("jl-tra", "editor")]
    assert len(world.admin.get("organization_list_for_user")["result"]) > 30


@SQLITE
def test_autocomplete(world: World) -> None:
    name = world.publish(Catalogue.published)
    found = world.visitor.get("package_autocomplete", q="吉林省城市")["result"]
    assert [one["name"] for one in found] == [name]
    assert set(found[0]) == {"name", "title", "match_field", "match_displayed"}


def _load(world: World, *packages: dict[str, Any]) -> None:
    for package in packages:
        world.admin.result("package_create", package)
    world.index()


def test_search_speaks_solr(world: World) -> None:
    air = foreign_package(title="空气质量日报")
    water = foreign_package(
        title="河流水质月报",
        tags=[{"name": "水质"}],
        groups=[{"name": "weather"}],
        license_id="unknown-licence",
        metadata_modified="2020-01-01T00:00:00",
    )
    water["resources"][0]["format"] = "XLSX"
    _load(world, air, water)

    def names(**query: Any) -> list[str]:
        result = world.visitor.get("package_search", **query)["result"]
        assert result["count"] >= len(result["results"])
        return [one["name"] for one in result["results"]]

    both = {air["name"], water["name"]}
    assert set(names()) == set(names(q="*:*")) == both
    assert names(q="水质") == [water["name"]]
    for fq in (
        "tags:空气质量", 'tags:"空气质量"', "+tags:PM2.5 +tags:空气质量", "-tags:水质",
        "NOT tags:水质", "groups:environment", "res_format:CSV", "res_format:(csv OR json)",
        "metadata_modified:[2024-01-01T00:00:00Z TO *]", f"name:{air['name']}", f"id:{air['id']}",
        "license_id:cc-by", "title:日报", "jl_open_type:unconditional AND groups:environment "
        "AND state:active AND capacity:public AND dataset_type:dataset", "tags:(空气质量 AND PM2.5)",
    ):  # fmt: skip
        assert names(fq=fq) == [air["name"]], fq
    assert set(names(fq="organization:fusong-data")) == both
    assert set(names(fq=f"owner_org:{air['owner_org']}")) == both
    assert names(fq="organization:nowhere") == []
    assert names(fq="tags:空气质量 AND tags:水质") == []
    assert names(fq="dataset_type:showcase") == []
    assert names(fq="metadata_modified:[NOW-2YEARS/YEAR TO NOW}") == [air["name"]]
    assert names(fq_list=["tags:水质", "groups:weather"]) == [water["name"]]
    assert names(sort="metadata_modified desc") == [air["name"], water["name"]]
    assert names(sort="metadata_modified asc") == [water["name"], air["name"]]
    assert set(names(sort="title_string asc")) == both
    assert names(q="title:日报 AND groups:environment") == [air["name"]]


def test_facets_and_their_names(world: World) -> None:
    _load(world, foreign_package(), foreign_package())
    fields = ["organization", "groups", "tags", "res_format", "license_id"]
    result = world.visitor.get("package_search", **{"facet.field": json.dumps(fields)})["result"]
    assert list(result) == ["count", "facets", "results", "sort", "search_facets"]
    assert result["facets"]["organization"] == {"fusong-data": 2}
    assert result["facets"]["res_format"] == {"CSV": 2}
    item = result["search_facets"]["organization"]["items"][0]
    assert item == {"name": "fusong-data", "display_name": "抚松县数据局", "count": 2}
    assert result["search_facets"]["groups"]["items"][0]["display_name"] == "生态环境"
    for field, values in result["facets"].items():
        for value, count in values.items():
            found = world.visitor.get("package_search", fq=f'{field}:"{value}"', rows=0)["result"]
            assert found["count"] == count, (field, value)
    plain = world.visitor.get("package_search")["result"]
    assert (plain["facets"], plain["search_facets"]) == ({}, {})


@SQLITE
def test_pages_past_the_end_are_empty_and_rows_are_cut(world: World) -> None:
    _load(world, *(foreign_package() for _ in range(3)))
    for start in (3, 10_001, 10**9):
        result = world.visitor.get("package_search", start=start)["result"]
        assert (result["count"], result["results"]) == (3, [])
    assert len(world.visitor.get("package_search", rows=10**9)["result"]["results"]) == 3
    assert world.visitor.get("package_search", rows=2)["result"]["count"] == 3


@SQLITE
def test_a_score_is_explained(world: World) -> None:
    _load(world, foreign_package(title="空气质量日报"))
    found = world.visitor.get("package_search", q="空气", explain=1)["result"]["results"][0]
    score = found["jl_score"]
    assert score["final"] == pytest.approx(
        score["text"] * (1 + score["beta"] * score["value"] / 100), rel=1e-3
    )
    assert {"word": "空气", "form": "空气", "fields": ["title"], "means": "literal"} in [
        {**match, "fields": match["fields"][:1]} for match in score["matches"]
    ]
    assert isinstance(score["reasons"], list)


@SQLITE
def test_a_correction_is_named_and_can_be_turned_off(world: World) -> None:
    _load(world, foreign_package(title="空气质量日报"))
    corrected = world.visitor.get("package_search", q="kongqi")["result"]
    assert (corrected["count"], corrected["jl_correction"]["used"]) == (1, "空气")
    assert "jl_correction" not in world.visitor.get("package_search", q="空气")["result"]
    literal = world.visitor.get("package_search", q="kongqi", as_typed=1)["result"]
    assert "jl_correction" not in literal


def test_drafts_are_found_by_their_organisation_alone(world: World) -> None:
    drafted = world.editor.result("package_create", title="尚未发布的路况", owner_org="jl-tra")
    world.index()
    for caller, expected in ((world.visitor, 0), (world.stranger, 0), (world.editor, 1)):
        result = caller.get("package_search", q="路况", include_private=True)["result"]
        assert result["count"] == expected
    assert world.editor.get("package_search", q="路况")["result"]["count"] == 0
    assert world.visitor.refused("package_show", id=drafted["name"])[0] == 403
    assert world.stranger.refused("package_show", id=drafted["name"])[0] == 403
    assert world.editor.result("package_show", id=drafted["name"])["private"] is True
