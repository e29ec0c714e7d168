"""The catalogue versions of an entry in public: permanent, comparable, and nothing from inside."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date

import pytest
from flask.testing import FlaskClient

from portal.models.entry import get_entry
from portal.models.former_slug import remember_slug
from portal.rules.entry_content import EntryContent, InformationItem, LegalBasis
from portal.services.content import content_of
from portal.services.metadata_history import SHOWN_FIELDS, SHOWN_PARTS, public_content
from portal.services.package_extras import INTERNAL_FIELDS
from tests.portal.web.conftest import Site

ITEMS = (
    InformationItem(
        1, "站点编码", "stop_code", "string", 30, primary_key=True, nullable=False, sample="XX-7"
    ),
    InformationItem(2, "站点名称", "stop_name", "string", 100, share_type="none"),
    InformationItem(3, "启用日期", "opened_on", "date"),
)


def revise(site: Site, slug: str, *, publish: bool = True, **changes: object) -> None:
    def do(session, catalogue, people):  # type: ignore[no-untyped-def]
        entry = get_entry(session, slug)
        draft = catalogue.entries.revise(people.department, entry)
        content = replace(content_of(entry.published_version), **changes)
        catalogue.entries.save(people.department, draft, content)
        if publish:
            submitted = catalogue.entries.submit(people.department, draft)
            catalogue.entries.approve(people.bureau, submitted)

    site.change(do, settle=False)


@pytest.fixture
def slug(site: Site) -> str:
    made = str(site.change(lambda _s, catalogue, _p: catalogue.published().slug, settle=False))
    revise(
        site,
        made,
        title="吉林省公交站点 <新>",
        items=ITEMS,
        contact_phone="0431-80000001",
        share_condition="内部共享条件",
        collection_basis=(
            LegalBasis("law", "中华人民共和国公路法", article="第九条", quote="摘录"),
        ),
    )
    return made


def test_every_published_version_has_its_page_for_ever(visitor: FlaskClient, slug: str) -> None:
    listed = visitor.get(f"/dataset/{slug}/history")
    assert listed.status_code == 200
    assert f"/dataset/{slug}/history/2" in listed.text
    assert f"/dataset/{slug}/history/difference?from=1&amp;to=2" in listed.text
    first = visitor.get(f"/dataset/{slug}/history/1").text
    assert "日客流量" in first
    assert "启用日期" not in first
    assert "这不是现行版本" in first
    assert "history/difference" not in first  # nothing was before it
    second = visitor.get(f"/dataset/{slug}/history/2").text
    assert f"/dataset/{slug}/history/difference?from=1&amp;to=2" in second
    assert "启用日期" in second
    assert "吉林省公交站点 &lt;新&gt;" in second
    assert f"http://127.0.0.1:5000/dataset/{slug}/history/2" in second
    assert f"/dataset/{slug}/history" in visitor.get(f"/dataset/{slug}").text


def test_the_difference_names_fields_and_items_by_their_labels(
    visitor: FlaskClient, slug: str
) -> None:
    page = visitor.get(f"/dataset/{slug}/history/difference?from=2&to=1").text
    assert "信息资源名称" in page
    assert "吉林省公交站点 &lt;新&gt;" in page
    assert "目录第1版与第2版的差异" in page  # whichever was named first
    found = visitor.get(f"/dataset/{slug}/history/difference.json").get_json()
    assert (found["from"]["number"], found["to"]["number"]) == (1, 2)
    changed = {one["field"]: one for one in found["fields"]}
    assert set(changed) == {"title", "collection_basis"}
    assert changed["title"]["label"] == "信息资源名称"
    assert changed["title"]["after"] == ["吉林省公交站点 <新>"]
    kinds = {(one["change"], one["field_name"]) for one in found["items"]}
    expected = {("changed", "stop_code"), ("added", "opened_on"), ("removed", "daily_passengers")}
    assert kinds == expected
    parts = next(one["parts"] for one in found["items"] if one["change"] == "changed")
    assert [(p["field"], p["before"], p["after"]) for p in parts] == [("length", ["20"], ["30"])]


def test_the_same_is_to_be_had_as_json(visitor: FlaskClient, slug: str) -> None:
    listed = visitor.get(f"/dataset/{slug}/history.json").get_json()
    assert [one["number"] for one in listed["versions"]] == [2, 1]
    assert listed["count"] == 2
    assert listed["versions"][0]["url"].endswith(f"/dataset/{slug}/history/2")
    one = visitor.get(f"/dataset/{slug}/history/2.json").get_json()
    assert one["metadata"]["title"] == "吉林省公交站点 <新>"
    assert one["labels"]["title"] == "信息资源名称"
    assert one["items"][0]["field_name"] == "stop_code"


def test_nothing_from_inside_is_told(site: Site, visitor: FlaskClient, slug: str) -> None:
    revise(site, slug, publish=False, title="还没有审核的名称")
    addresses = ("", ".json", "/2", "/2.json", "/difference", "/difference.json")
    texts = [visitor.get(f"/dataset/{slug}/history{rest}").text for rest in addresses]
    inside = ("内部共享条件", "摘录", "XX-7", "0431-80000001", "还没有审核的名称", "security_level")
    assert not [(word, text) for word in inside for text in texts if word in text]
    assert not any(role in text for text in texts for role in ("bureau_reviewer", "dept-jl-tra"))
    assert visitor.get(f"/dataset/{slug}/history/3").status_code == 404


def test_a_new_field_is_inside_until_somebody_lists_it() -> None:
    names = {field.name for field in fields(EntryContent)}
    assert set(SHOWN_FIELDS) <= names
    assert not set(SHOWN_FIELDS) & (set(INTERNAL_FIELDS) - {"closed_basis", "collection_basis"})
    assert set(SHOWN_PARTS) < {field.name for field in fields(InformationItem)}
    full = EntryContent(
        title="题", share_condition="内部", verified_at=date(2026, 1, 1), foreign={"a": 1}
    )
    assert public_content(full) == EntryContent(title="题", verified_at=date(2026, 1, 1))


def test_what_was_never_published_or_is_retired_has_no_history(
    site: Site, visitor: FlaskClient, slug: str
) -> None:
    draft = str(site.change(lambda _s, c, _p: c.draft().entry.slug, settle=False))
    assert visitor.get(f"/dataset/{draft}/history").status_code == 404
    for wrong in ("/difference?from=x", "/difference?from=1&to=99", "?page=9", "/99"):
        assert visitor.get(f"/dataset/{slug}/history{wrong}").status_code in (404, 422)
    site.retire(slug, "数据停止采集", settle=False)
    gone = visitor.get(f"/dataset/{slug}/history/1")
    assert gone.status_code == 410
    assert "数据停止采集" in gone.text


def test_an_old_name_leads_to_the_history_under_the_new_one(
    site: Site, visitor: FlaskClient, slug: str
) -> None:
    def rename(session, _catalogue, _people):  # type: ignore[no-untyped-def]
        remember_slug(session, get_entry(session, slug), "bus-stops-now", site.platform.clock())

    site.change(rename, settle=False)
    moved = visitor.get(f"/dataset/{slug}/history/difference?from=1&to=2")
    assert moved.status_code == 301
    assert moved.location == "/dataset/bus-stops-now/history/difference?from=1&to=2"
    only_one = str(site.change(lambda _s, c, _p: c.published().slug, settle=False))
    assert visitor.get(f"/dataset/{only_one}/history/difference").status_code == 404
