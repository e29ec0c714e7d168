"""Pages of regions, lists' versions, developers and help; and how a reader chooses to see them."""

from __future__ import annotations

import json
import re

import pytest
from flask.testing import FlaskClient

from tests.portal.web.conftest import Site


def test_a_region_has_its_agencies_and_their_list(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened(title="全省公交站点")
    page = visitor.get("/region/220000").text
    assert f"/dataset/{slug}" in page
    assert "/organisation/jl-tra" in page
    assert "列入“全省公交站点”" in page
    assert visitor.get("/region/999999").status_code == 404
    rows = json.loads(visitor.get("/region/220000/open-list.json").data)
    assert rows[0]["数据名称"] == "全省公交站点"
    assert rows[0]["提供机构"] == "吉林省交通运输厅"


def test_the_map_has_a_table_beside_it(site: Site, visitor: FlaskClient) -> None:
    site.opened(region="220100")
    page = visitor.get("/region").text
    assert 'href="/region/220100" class="shade-4" aria-label="长春市：1 个数据集"' in page
    assert re.search(r'<a href="/region/220100">长春市</a></th><td class="number">1</td>', page)
    assert "示意图" in page


def test_regions_answer_without_the_search_engine(
    site: Site, visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from search.engine import SearchUnavailable

    def down(*_args: object) -> None:
        raise SearchUnavailable("stopped")

    monkeypatch.setattr(site.platform.engine, "search", down)
    assert visitor.get("/region").status_code == 200
    assert visitor.get("/region/220100").status_code == 200


def test_every_version_of_an_open_list_can_be_read(site: Site, visitor: FlaskClient) -> None:
    site.opened(title="第一份数据")
    site.opened(title="第二份数据")
    history = visitor.get("/organisation/jl-tra/history").text
    assert history.count("/organisation/jl-tra/history/") == 4
    first = visitor.get("/organisation/jl-tra/history/1").text
    assert "第一份数据" in first
    assert "第二份数据" not in first
    assert "计划开放" in first
    assert "这是较早的一版" in first
    newest = visitor.get("/organisation/jl-tra/history/4").text
    assert newest.count("已开放") == 2
    assert "这是较早的一版" not in newest
    assert visitor.get("/organisation/jl-tra/history/5").status_code == 404
    assert visitor.get("/organisation/jl-tra/history/0").status_code == 404


def test_the_list_of_an_agency_comes_as_json(site: Site, visitor: FlaskClient) -> None:
    site.opened(title="=公交")
    rows = json.loads(visitor.get("/organisation/jl-tra/open-list.json").data)
    assert rows[0]["数据名称"] == "=公交"  # JSON runs nothing: the text stays as it is


def test_the_developer_centre_describes_every_action(visitor: FlaskClient) -> None:
    document = visitor.get("/api/3/openapi.json").get_json()
    page = visitor.get("/developers").text
    assert document["openapi"].startswith("3.1")
    for path in document["paths"]:
        assert f"<code>{path}</code>" in page


def test_the_developer_centre_lists_what_may_be_applied_for(visitor: FlaskClient) -> None:
    assert "目前没有可以申请的接口" in visitor.get("/developers").text


@pytest.mark.parametrize("topic", ["citizens", "developers", "agencies", "bureau", "accessibility"])
def test_help_for_each_role(visitor: FlaskClient, topic: str) -> None:
    page = visitor.get(f"/help/{topic}")
    assert page.status_code == 200
    assert f'href="/help/{topic}"' in visitor.get("/help").text
    assert visitor.get("/help/none").status_code == 404


def test_the_colours_follow_the_cookie(visitor: FlaskClient) -> None:
    assert "data-scheme" not in visitor.get("/about").text
    answer = visitor.get("/display/scheme/dark", query_string={"next": "/about"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/about"
    assert 'data-scheme="dark"' in visitor.get("/about").text
    visitor.get("/display/scheme/auto")
    assert "data-scheme" not in visitor.get("/about").text


def test_the_version_for_the_old_is_kept_until_it_is_left(visitor: FlaskClient) -> None:
    visitor.get("/display/reader/on")
    page = visitor.get("/help").text
    assert 'data-reader="on"' in page
    assert "朗读正文" in page
    assert "css/reader.css" in page
    visitor.get("/display/reader/large")
    assert 'data-reader="large"' in visitor.get("/help").text
    visitor.get("/display/reader/off")
    assert "data-reader" not in visitor.get("/help").text


def test_a_choice_of_display_is_one_of_ours(visitor: FlaskClient) -> None:
    assert visitor.get("/display/scheme/pink").status_code == 404
    assert visitor.get("/display/nothing/on").status_code == 404
    leads = visitor.get("/display/reader/on?next=//evil.example/").headers["Location"]
    assert leads == "/"
    visitor.set_cookie("scheme", '"><script>')
    assert "<script>" not in visitor.get("/help").text


def test_the_foot_has_what_a_government_site_must_name(site: Site, visitor: FlaskClient) -> None:
    given = {
        "site_operator": "吉林省大数据中心",
        "site_contact": "0431-00000000",
        "site_police": "吉公网安备 22010002000000号",
        "site_code": "2200000000",
        "site_errata_url": "https://example.org/errata?site_code=2200000000",
        "site_links": ("中国政府网=https://www.gov.cn/", "坏地址=javascript:alert(1)"),
    }
    site.platform.settings = site.platform.settings.model_copy(update=given)
    page = visitor.get("/about").text
    for words in ("承办单位：", "联系方式：", "网站标识码：", "我为政府网站找错", "中国政府网"):
        assert words in page
    assert "code=22010002000000" in page
    assert "javascript:" not in page


def test_static_text_is_sent_compressed(visitor: FlaskClient) -> None:
    plain = visitor.get("/static/css/base.css")
    packed = visitor.get("/static/css/base.css", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(plain.data) / 2
    assert "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in packed.headers["Vary"]


def test_english_names_the_portal_in_english(visitor: FlaskClient) -> None:
    page = visitor.get("/about", headers={"Accept-Language": "en"}).text
    assert "Jilin Province Open Public Data" in page
