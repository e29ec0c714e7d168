"""The examples of CONTRIBUTING.md do what it says of them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from harvesters.kinds import kind_names, make_kind
from harvesters.record import FaultyRecord, HarvestedRecord, SourceFailed, SourceSettings
from portal.codes import all_code_names
from portal.extension import ExtensionError
from portal.jobs.worker import Worker
from portal.net import guarded_session
from portal.platform import Platform
from search.facets import FACETS
from search.request import FacetAsk, FacetCount, SearchRequest
from tests.docs.conftest import Visit
from tests.factories import Catalogue, People
from tests.harvesters.replay import Answer, ReplayServer
from tests.search.documents import PUBLIC


def test_the_extension_adds_a_page_and_a_link(visit: Visit) -> None:
    visitor = visit("newest")
    page = visitor.get("/newest")
    assert page.status_code == 200
    assert page.text.count("吉林省城市公共汽电车线路站点信息") == 2
    assert 'href="/newest"' in visitor.get("/login").text


def test_an_extension_counts_only_when_the_setting_names_it(visit: Visit) -> None:
    visitor = visit()
    assert visitor.get("/newest").status_code == 404
    assert 'href="/newest"' not in visitor.get("/login").text


def test_an_extension_that_is_not_installed_stops_the_start(
    make_platform: Callable[..., Platform],
) -> None:
    with pytest.raises(ExtensionError, match="newest"):
        make_platform("sqlite", extensions=("newest",))


def test_the_action_answers_as_the_others_do(visit: Visit) -> None:
    visitor = visit("theme_count")
    answer = visitor.get("/api/3/action/theme_count").get_json()
    assert answer["success"] is True
    assert answer["result"] == [{"name": "transport", "title": "交通运输", "count": 2}]
    refused = visitor.get("/api/3/action/theme_count?limit=0")
    assert refused.status_code == 409
    assert "limit" in refused.get_json()["error"]


def test_the_facet_counts_and_filters(
    installed: None, make_platform: Callable[..., Platform]
) -> None:
    platform = make_platform("sqlite", extensions=("level",))
    assert FACETS["level"].title == "层级"
    with platform.database.writing() as session:
        published = Catalogue(platform, session, People(platform, session)).published()
    Worker(platform).run_until_idle()
    asked = SearchRequest(facets=(FacetAsk("level"),), filters={"level": ("province",)})
    found = platform.engine.search(asked, PUBLIC)
    assert [hit.id for hit in found.hits] == [published.id]
    assert set(found.facets["level"]) == {FacetCount("province", 1)}


def gather(body: bytes) -> list[HarvestedRecord | FaultyRecord]:
    with ReplayServer() as server:
        server.on("/list.json", Answer(body=body))
        http = guarded_session(allowed_hosts=frozenset({server.address}))
        kind = make_kind("json_list", all_code_names())
        return list(kind.gather(SourceSettings(f"{server.url}/list.json"), http))


def test_the_source_kind_reads_a_list_and_names_what_is_faulty(installed: None) -> None:
    assert "json_list" in kind_names()
    good = {"id": 7, "title": "公交站点", "theme": "交通运输", "url": "https://example.org/7.csv"}
    record, fault = gather(json.dumps([good, {"id": 8}]).encode())
    assert isinstance(record, HarvestedRecord)
    assert (record.remote_id, record.fields["theme"]) == ("7", "transport")
    assert record.files[0].url == "https://example.org/7.csv"
    assert fault == FaultyRecord("第 2 项", "8", "缺少 title")


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[1]"])
def test_the_source_kind_takes_nothing_for_an_answer_that_is_none(
    installed: None, body: bytes
) -> None:
    with pytest.raises(SourceFailed):
        gather(body)
