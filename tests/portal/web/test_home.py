"""The home, theme, about and help pages, and the small files of a site."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from portal.codes import code_list
from search.engine import SearchUnavailable
from tests.portal.web.conftest import Site


def test_home_counts_what_a_click_then_finds(site: Site, visitor: FlaskClient) -> None:
    site.opened()
    site.opened(theme="health")
    page = visitor.get("/").text
    words = re.sub(r"<[^>]*>", "", page)
    assert "2个数据集" in words
    assert "1家机构提供" in words
    assert "交通运输" in page
    assert "属于民生主题" in page
    found = visitor.get("/dataset?theme=health").text
    assert '<strong class="num">1</strong>' in found


def test_an_empty_portal_has_a_home(visitor: FlaskClient) -> None:
    page = visitor.get("/")
    assert page.status_code == 200
    assert "还没有公开的数据" in page.text


def test_home_shows_no_entry_retired_a_moment_ago(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened(title="撤下之前的公交数据")
    assert "撤下之前的公交数据" in visitor.get("/").text

    site.retire(slug, "合并到新目录", settle=False)  # the index does not know yet
    assert "撤下之前的公交数据" not in visitor.get("/").text
    assert "撤下之前的公交数据" not in visitor.get("/dataset").text


def test_home_and_organisations_answer_without_the_search_engine(
    site: Site, visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.opened()

    def down(*_args: object) -> None:
        raise SearchUnavailable("stopped")

    monkeypatch.setattr(site.platform.engine, "search", down)
    assert visitor.get("/").status_code == 200
    results = visitor.get("/dataset?q=公交")
    assert results.status_code == 503
    assert 'href="/organisation"' in results.text
    assert "检索服务暂时不可用" in results.text
    assert visitor.get("/organisation/jl-tra").status_code == 200


def test_every_theme_is_listed(visitor: FlaskClient) -> None:
    page = visitor.get("/theme").text
    assert all(theme.name in page for theme in code_list("themes"))


def test_about_explains_the_score_and_the_licences(visitor: FlaskClient) -> None:
    page = visitor.get("/about").text
    assert "V = L + D + C" in page
    assert "80%" in page
    assert all(licence.name in page for licence in code_list("licences"))


def test_help_names_the_interface(visitor: FlaskClient) -> None:
    assert "/api/3/action/package_search" in visitor.get("/help").text


def test_robots_and_sitemap(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened()
    robots = visitor.get("/robots.txt").text
    assert "Disallow: /work" in robots
    assert robots.rstrip().endswith("/sitemap.xml")
    index = ElementTree.fromstring(visitor.get("/sitemap.xml").data)
    assert [e.text for e in index.iter() if e.text and "sitemap-1" in e.text]
    entries = ElementTree.fromstring(visitor.get("/sitemap-1.xml").data)
    assert [e.text for e in entries.iter() if e.text and e.text.endswith(f"/dataset/{slug}")]
    assert visitor.get("/sitemap-2.xml").status_code == 404
    assert visitor.get("/sitemap-0.xml").status_code == 404


def test_favicon(visitor: FlaskClient) -> None:
    assert visitor.get("/favicon.ico", follow_redirects=True).mimetype == "image/svg+xml"


@pytest.mark.parametrize(
    ("target", "where"),
    [
        ("/dataset?q=x", "/dataset?q=x"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
    ],
)
def test_language_is_kept_and_never_leads_elsewhere(
    visitor: FlaskClient, target: str, where: str
) -> None:
    answer = visitor.get("/lang/en", query_string={"next": target})
    assert answer.status_code == 302
    assert answer.headers["Location"] == where
    assert 'lang="en"' in visitor.get("/").text
    assert visitor.get("/lang/xx").status_code == 404


def test_foot_names_only_what_is_set(site: Site, visitor: FlaskClient) -> None:
    assert "主办单位" not in visitor.get("/help").text
    site.platform.settings = site.platform.settings.model_copy(
        update={"site_host": "吉林省政务服务和数字化建设管理局", "site_icp": "吉ICP备00000000号"}
    )
    page = visitor.get("/help").text
    assert "主办单位：" in page
    assert "吉ICP备00000000号" in page
