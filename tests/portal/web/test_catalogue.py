"""The result page: words, facets, chips, order, pages, and what finds nothing."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.extension import Extension, SearchOffer
from portal.models.search_count import SearchCount
from portal.web.paging import address
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


def tree_links(page: str) -> dict[str, Link]:
    tree = page.split('id="facet-region"')[1].split("</section>")[0]
    return {link.text.replace("已选：", "").split()[0]: link for link in links(tree)}


def test_the_region_filter_is_a_tree_that_opens_where_something_is_chosen(
    site: Site, visitor: FlaskClient
) -> None:
    site.opened(title="南关区停车场", region="220102")
    site.opened(title="长春市停车场", region="220100")
    site.opened(title="吉林市停车场", region="220200")
    page = visitor.get("/dataset").text
    found = {name: int(link.text.split()[-1]) for name, link in tree_links(page).items()}
    assert found == {"吉林省": 3, "长春市": 2, "南关区": 1, "吉林市": 1}
    changchun = visitor.get(tree_links(page)["长春市"].href).text
    assert total(changchun) == 2
    assert {n: int(k.text.split()[-1]) for n, k in tree_links(changchun).items()} == found
    narrowed = tree_links(changchun)["南关区"].href
    assert narrowed.endswith("?region=220102"), "the part takes the place of the whole"
    assert total(visitor.get(narrowed).text) == 1
    both = tree_links(changchun)["吉林市"].href
    assert total(visitor.get(both).text) == 3
    assert tree_links(visitor.get(narrowed).text)["长春市"].href.endswith("?region=220100")


def test_dates_and_an_area_narrow_and_can_be_removed(filled: Site, visitor: FlaskClient) -> None:
    today = "2026-11-24"
    assert total(visitor.get(f"/dataset?since={today}&until={today}").text) == 4
    page = visitor.get("/dataset?until=2020-01-01&region=220100&since=2019-12-31").text
    assert total(page) == 0
    assert "2019-12-31 – 2020-01-01" in page
    changchun = visitor.get("/dataset?west=125.2&south=43.8&east=125.4&north=43.9").text
    assert "吉林市公交" not in changchun
    assert "长春市公交" in changchun
    chip = next(link for link in links(changchun) if "地理范围" in link.text)
    assert total(visitor.get(chip.href).text) == 4
    for link in facet_links(changchun):
        assert total(visitor.get(link.href).text) == int(link.text.split()[-1])


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("since=yesterday", "不是日期"),
        ("since=2026-13-01", "不是日期"),
        ("until=9999-12-31", "不是日期"),
        ("since=2026-02-01&until=2026-01-01", "止日不能早于起日"),
        ("bbox=1,2,3", "西,南,东,北"),
        ("bbox=nan,1,2,3", "西,南,东,北"),
        ("west=1&south=2&east=3", "缺少“北”"),
        ("west=5&south=2&east=3&north=4", "西不大于东"),
    ],
)
def test_a_day_or_an_area_that_is_none_is_named(
    visitor: FlaskClient, address: str, words: str
) -> None:
    answer = visitor.get(f"/dataset?{address}")
    assert answer.status_code == 422
    assert words in answer.text


def test_a_correction_is_shown_and_undone(filled: Site, visitor: FlaskClient) -> None:
    page = visitor.get("/dataset?q=gongjiao&sort=title").text
    assert total(page) == 4
    assert "已同时按“公交”检索" in page
    undo = next(link for link in links(page) if link.text == "仍按原词“gongjiao”检索")
    assert "sort=title" in undo.href
    undone = visitor.get(undo.href).text
    assert "已同时按" not in undone
    kept = visitor.get("/dataset?q=公交&as_typed=1").text
    assert "as_typed=1" in next(link.href for link in links(kept) if link.text == "名称")


def test_the_reasons_of_a_result_can_be_asked_for(filled: Site, visitor: FlaskClient) -> None:
    page = visitor.get("/dataset?q=公交&region=220100").text
    assert "（原词）" not in page
    link = next(link for link in links(page) if link.text.startswith("哪些词在哪里找到"))
    path, _, anchor = link.href.partition("#")
    explained = visitor.get(path).text
    assert f'id="{anchor}"' in explained
    assert "“公交”（原词）：名称" in explained
    assert "相关度" in explained


def test_an_empty_page_says_what_was_tried_and_offers_what_extensions_offer(
    filled: Site, visitor: FlaskClient
) -> None:
    def offer(session: Session, reader: Actor, words: str) -> SearchOffer | None:
        return SearchOffer("许个愿", address("/demand/new", [("title", words)]), "说明用途")

    added = Extension("wishes", empty_search_offers=(offer, lambda *_: None))
    filled.platform.extensions = (*filled.platform.extensions, added)
    page = visitor.get("/dataset", query_string={"q": "低保 火星<b>"}).text
    assert total(page) == 0
    assert "同义词：最低生活保障" in page
    request = next(link for link in links(page) if link.text == "许个愿")
    assert unquote(request.href) == "/demand/new?title=低保+火星<b>"
    assert "火星<b>" not in page
    assert "许个愿" not in visitor.get("/dataset?q=公交").text


def test_a_search_is_counted_once_and_without_its_filters(
    filled: Site, visitor: FlaskClient
) -> None:
    for path in ("q=公交", "q=公交&sort=title", "q=公交&theme=weather", "q=火星土豆", "q=gongjiao",
                 "q=13800138000", ""):  # fmt: skip
        visitor.get(f"/dataset?{path}")
    visitor.get("/dataset?q=公交", headers={"User-Agent": "Googlebot/2.1"})
    filled.platform.searches.flush()
    with filled.platform.database.reading() as session:
        counted = {
            (one.words, one.outcome): (one.count, one.visitors)
            for one in session.scalars(select(SearchCount))
        }
    assert counted == {
        ("公交", "found"): (2, 1),
        ("火星土豆", "none"): (1, 1),
        ("gongjiao", "part"): (1, 1),
    }


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
