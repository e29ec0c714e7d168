"""data.json, changes, Atom and OpenSearch, read by libraries that are not ours."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import feedparser
import pytest
from flask.testing import FlaskClient

from extensions.exchange.web import feeds
from harvesters.codes import CodeBook
from harvesters.datajson.document import datasets_of
from harvesters.datajson.mapping import record_from_dataset
from portal.codes import all_code_names
from tests.factories import SetClock
from tests.portal.web.conftest import Site

REQUIRED = {"title", "description", "keyword", "modified", "publisher", "contactPoint",
            "identifier", "accessLevel"}  # fmt: skip


def test_data_json_holds_what_the_schema_requires(
    site: Site, visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "AT_ONCE", 2)
    slugs = {site.opened(), site.opened(), site.conditional()}
    document = visitor.get("/data.json").get_json()
    datasets = [found for _, found in datasets_of(document)]
    assert {one["landingPage"].rpartition("/")[2] for one in datasets} == slugs
    assert all(set(one) >= REQUIRED for one in datasets)
    levels = sorted(one["accessLevel"] for one in datasets)
    assert levels == ["public", "public", "restricted public"]
    book = CodeBook(all_code_names())
    for one in datasets:
        record = record_from_dataset(one, book)
        assert record.fields["update_frequency"] == "monthly"
        assert record.fields["theme"] == "transport"


def test_an_empty_catalogue_is_still_a_document(visitor: FlaskClient) -> None:
    assert visitor.get("/data.json").get_json()["dataset"] == []


def test_changes_are_walked_to_the_end_with_tombstones(
    site: Site, visitor: FlaskClient, clock: SetClock
) -> None:
    slugs = [site.opened() for _ in range(3)]
    clock.advance(hours=1)
    site.retire(slugs[0], "数据源已停用", settle=False)
    seen: dict[str, str] = {}
    cursor = ""
    while True:
        body = visitor.get(f"/api/changes?limit=2&cursor={cursor}").get_json()
        if body["next_cursor"] == cursor or not body["changes"]:
            break
        assert not {one["name"] for one in body["changes"]} & set(seen)
        seen |= {one["name"]: one["state"] for one in body["changes"]}
        cursor = body["next_cursor"]
    assert seen == {slugs[0]: "deleted", slugs[1]: "active", slugs[2]: "active"}
    since = (clock.now.isoformat()).replace("+", "%2B")
    (gone,) = visitor.get(f"/api/changes?since={since}").get_json()["changes"]
    assert (gone["name"], gone["reason"]) == (slugs[0], "数据源已停用")
    assert "package" not in gone


@pytest.mark.parametrize(
    "query",
    ["cursor=%00", "cursor=abc", "since=yesterday", "since=9999-99-99", "limit=0", "limit=-1",
     "limit=9999999999", "limit=a", "cursor=" + "a" * 500],
)  # fmt: skip
def test_bad_parameters_are_named(query: str, visitor: FlaskClient) -> None:
    answer = visitor.get(f"/api/changes?{query}")
    assert 400 <= answer.status_code < 500
    assert query.split("=")[0] in answer.text


@pytest.mark.parametrize(
    "path",
    ["/feeds/recent.atom", "/feeds/organisation/jl-tra.atom", "/feeds/theme/transport.atom"],
)
def test_atom_is_read_by_feedparser(path: str, site: Site, visitor: FlaskClient) -> None:
    slug = site.opened(title="公交 <b>站点</b> & 线路", abstract="第一行\x0b第二行" * 3)
    found = feedparser.parse(visitor.get(path).data)
    assert not found.bozo
    assert found.version == "atom10"
    (entry,) = found.entries
    assert entry.link.endswith(f"/dataset/{slug}")
    assert "公交 <b>站点</b> & 线路" in entry.title.replace("&lt;", "<").replace("&amp;", "&")


@pytest.mark.parametrize("path", ["/feeds/organisation/none.atom", "/feeds/theme/none.atom"])
def test_a_feed_of_nothing_is_not_found(path: str, visitor: FlaskClient) -> None:
    assert visitor.get(path).status_code == 404


def test_opensearch_names_the_search(visitor: FlaskClient) -> None:
    root = ET.fromstring(visitor.get("/opensearch.xml").data)
    url = root.find("{http://a9.com/-/spec/opensearch/1.1/}Url")
    assert url is not None
    assert "{searchTerms}" in url.attrib["template"]
