"""The result page: words, facets, chips, order, pages, and what finds nothing."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient

from tests.portal.web.conftest import Site
from tests.portal.web.markup import Link, links

NUMBER = re.compile(r'<strong class="num">([\d,]+)</strong>')


def total(page: str) -> int:
    found = NUMBER.search(page)
    assert found is not None
    return int(found[1].replace(",", ""))


def facet_links(page: str) -> list[Link]:
    aside = page.split("<aside")[1].split("</aside>")[0]
    return [link for link in links(aside) if link.href.startswith("/dataset")]


@pytest.fixture
def filled(site: Site) -> Site:
    site.opened(title="长春市公交线路", region="220100")
    site.opened(title="吉林市公交线路", region="220200", update_frequency="daily")
    site.opened(title="医院床位", theme="health", more_themes=("social",))
    site.conditional(title="公交到站预测")
    return site


def test_every_facet_count_is_what_its_link_finds(filled: Site, visitor: FlaskClient) -> None:
    for start in ("/dataset", "/dataset?q=公交"):
        found = facet_links(visitor.get(start).text)
        assert len(found) > 10
        for link in found:
            counted = int(link.text.split()[-1])
            assert total(visitor.get(link.href).text) == counted, unquote(link.href)


def test_words_are_marked_and_facets_narrow(filled: Site, visitor: FlaskClient) -> None:
    page = visitor.get("/dataset?q=公交&open_type=conditional").text
    assert total(page) == 1
    assert "<mark>公交</mark>到站预测" in page
    assert "开放类型：有条件开放" in page
    assert "为什么排在这里" in page
    assert "相关度" in page


def test_a_chip_takes_its_filter_away(filled: Site, visitor: FlaskClient) -> None:
    page = visitor.get("/dataset?q=公交&region=220100&sort=title").text
    assert total(page) == 1
    chip = next(link for link in links(page) if "移除" in link.text)
    assert "region" not in chip.href
    assert "sort=title" in chip.href
    assert total(visitor.get(chip.href).text) == 4


@pytest.mark.parametrize("sort", ["value", "modified", "created", "downloads", "title"])
def test_each_order_answers(filled: Site, visitor: FlaskClient, sort: str) -> None:
    assert total(visitor.get(f"/dataset?sort={sort}").text) == 4


def test_an_unknown_order_is_named(visitor: FlaskClient) -> None:
    answer = visitor.get("/dataset?sort=price")
    assert answer.status_code == 422
    assert "没有名为“price”的排序方式" in answer.text


@pytest.mark.parametrize("number", ["-1", "0", "1000000000", "1e3", "x", "²", "501"])
def test_a_bad_page_number_gets_a_clear_message(visitor: FlaskClient, number: str) -> None:
    answer = visitor.get("/dataset", query_string={"page": number})
    assert answer.status_code == 422
    assert "应为 1 到 500 的整数" in answer.text


def test_a_page_behind_the_last_says_how_many_there_are(filled: Site, visitor: FlaskClient) -> None:
    answer = visitor.get("/dataset?page=9")
    assert answer.status_code == 404
    assert "没有第 9 页，一共 1 页" in answer.text


def test_pages_keep_words_and_filters(site: Site, visitor: FlaskClient) -> None:
    for number in range(23):
        site.opened(title=f"公交线路{number}号")
    page = visitor.get("/dataset?q=公交&theme=transport").text
    following = next(link for link in links(page) if link.text == "下一页")
    assert unquote(following.href) == "/dataset?q=公交&theme=transport&page=2"
    assert 'start="21"' in visitor.get(following.href).text


def test_nothing_found_offers_the_next_step(filled: Site, visitor: FlaskClient) -> None:
    page = visitor.get("/dataset?q=公交&theme=weather").text
    assert "没有找到符合条件的数据" in page
    assert "清除全部筛选条件" in page
    offered = visitor.get("/dataset?q=火星 公交 土豆&theme=weather").text
    assert "您是不是要找" in offered


def test_unknown_codes_find_nothing_and_can_be_removed(filled: Site, visitor: FlaskClient) -> None:
    page = visitor.get("/dataset?theme=nonsense&organisation=%3Cscript%3E").text
    assert total(page) == 0
    assert "<script>" not in page.split("<main")[1].split("</main>")[0]


def test_drafts_are_not_found(site: Site, visitor: FlaskClient) -> None:
    site.change(lambda session, catalogue, people: catalogue.draft())
    assert total(visitor.get("/dataset").text) == 0


def test_offered_words_find_something(filled: Site, visitor: FlaskClient) -> None:
    page = visitor.get("/dataset?q=医院 土豆&theme=weather").text
    offers = page.split('class="section offers"')[1].split("</section>")[0]
    assert [total(visitor.get(link.href).text) > 0 for link in links(offers)] == [True]
