"""English pages call data sets by their English names, with the Chinese ones beside them."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.portal.web.conftest import Site


def english(visitor: FlaskClient, path: str) -> str:
    visitor.set_cookie("lang", "en")
    return visitor.get(path).get_data(as_text=True)


def test_lists_show_both_titles(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened(title="长春市公交站点", title_en="Bus stops of Changchun")
    site.opened(title="只有中文名称的数据")
    for path in ("/", "/dataset", "/dataset?q=公交站点"):
        html = english(visitor, path)
        assert f'<a href="/dataset/{slug}">Bus stops of Changchun</a>' in html, path
        assert '<p class="original" lang="zh-Hans-CN">' in html, path
    assert "只有中文名称的数据</a>" in english(visitor, "/dataset")
    assert "Department of Transport" in english(visitor, "/dataset")


def test_the_found_words_are_marked_in_the_chinese_title(site: Site, visitor: FlaskClient) -> None:
    site.opened(title="长春市公交站点", title_en="Bus stops of Changchun")
    html = english(visitor, "/dataset?q=公交站点")
    assert "<mark>" in html.split('class="original"')[1].split("</p>")[0]


def test_chinese_pages_stay_chinese(site: Site, visitor: FlaskClient) -> None:
    slug = site.opened(title="长春市公交站点", title_en="Bus stops of Changchun")
    for path in ("/", "/dataset", f"/dataset/{slug}"):
        html = visitor.get(path).get_data(as_text=True)
        assert 'class="original"' not in html
        assert "Bus stops of Changchun</a>" not in html
