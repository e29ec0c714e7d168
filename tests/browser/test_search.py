"""Search in a real browser: suggestions by keyboard, corrections, reasons, empty results."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from portal.app import create_app
from portal.extension import Extension, SearchOffer
from portal.platform import Platform
from portal.web.paging import address
from tests.browser.live import look, served
from tests.portal.web.conftest import Site

pytestmark = pytest.mark.browser


@dataclass
class Town:
    url: str
    slug: str


@pytest.fixture
def town(make_platform: Callable[..., Platform]) -> Iterator[Town]:
    platform = make_platform("sqlite")
    site = Site(platform, create_app(platform))
    slug = site.opened(title="长春市公共汽电车站点", keywords=("公交", "站点"), region="220102")
    site.opened(title="公交线路首末班时间", region="220200", update_frequency="daily")
    site.opened(title="全省医院开放床位日报", theme="health", update_frequency="daily")
    site.opened(title="冬季供热单位与投诉电话", theme="living", region="220100")
    site.conditional(title="公交车辆实时到站预测")
    wish = Extension(
        "wishes",
        empty_search_offers=(
            lambda _session, _actor, words: SearchOffer(
                "提出数据需求",
                address("/help", [("title", words)]),
                "已为您填好要找的内容；需求公开后，其他人可以附议，提供单位会答复。",
            ),
        ),
    )
    platform.extensions = (*platform.extensions, wish)
    for number in range(5):
        client = site.visitor()
        client.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
        client.get("/dataset", query_string={"q": "公交 站点"})
    platform.searches.flush()
    with served(platform) as url:
        yield Town(url, slug)


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    context = browser.new_context(locale="zh-CN")
    context.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context.new_page()
    context.close()


def test_suggestions_by_keyboard(town: Town, page: Page, complaints: list[str]) -> None:
    page.goto(f"{town.url}/dataset")
    field = page.get_by_role("combobox", name="检索数据")
    expect(field).to_have_attribute("aria-expanded", "false")
    field.press_sequentially("公交")
    options = page.get_by_role("option")
    expect(options.first).to_be_visible()
    expect(field).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("option", name="公交 站点 大家在搜")).to_be_visible()
    look(page, "search-suggestions")
    field.focus()
    field.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    assert field.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    field.press("ArrowUp")
    assert field.get_attribute("aria-activedescendant") is None
    field.press("Escape")
    expect(options.first).to_be_hidden()
    expect(field).to_have_value("公交")
    field.press("ArrowDown")
    expect(page.get_by_role("option", name="长春市公共汽电车站点")).to_have_count(0)
    field.fill("changchun")
    expect(page.get_by_role("option", name="长春市公共汽电车站点")).to_be_visible()
    page.get_by_role("option", name="长春市公共汽电车站点").click()
    page.wait_for_url(f"{town.url}/dataset/{town.slug}")
    assert complaints == []


def test_enter_without_a_choice_searches_as_without_script(town: Town, page: Page) -> None:
    page.goto(f"{town.url}/dataset")
    field = page.get_by_role("combobox", name="检索数据")
    field.press_sequentially("医院")
    expect(page.get_by_role("option").first).to_be_visible()
    field.press("Enter")
    page.wait_for_url(re.compile("q="))
    expect(page.get_by_role("listitem").filter(has_text="床位日报").first).to_be_visible()


def test_the_pages_of_a_search_look_right(town: Town, page: Page, complaints: list[str]) -> None:
    for name, path in (
        ("search-results", "/dataset?q=公交&region=220100&since=2026-01-01&bbox=124,43,127.2,45.3"),
        ("search-explained", "/dataset?q=公交站点&explain=1"),
        ("search-corrected", "/dataset?q=gongjiao"),
        ("search-empty", "/dataset?q=低保火星&theme=weather"),
    ):
        page.goto(town.url + path)
        look(page, name)
    assert complaints == []


def test_without_script_everything_is_there(town: Town, browser: Browser) -> None:
    context = browser.new_context(locale="zh-CN", java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{town.url}/dataset")
    page.fill("#q", "gongjiao")
    page.press("#q", "Enter")
    page.get_by_role("link", name="仍按原词“gongjiao”检索").click()
    expect(page.get_by_text("已同时按")).to_have_count(0)
    page.goto(f"{town.url}/dataset?q=公交")
    page.get_by_text("为什么排在这里").first.click()
    page.get_by_role("link", name=re.compile("哪些词在哪里找到")).first.click()
    expect(page.get_by_text("（原词）").first).to_be_visible()
    page.get_by_label("自", exact=True).fill("2020-01-01")
    page.get_by_role("button", name="按时间筛选").click()
    expect(page.get_by_role("link", name=re.compile("更新时间：2020-01-01"))).to_be_visible()
    page.get_by_label("长春市的下级地区").click()
    page.get_by_role("link", name=re.compile("^南关区")).click()
    expect(page.get_by_role("status")).to_contain_text("1 个数据集")
    context.close()


def test_an_area_is_chosen_on_the_map(town: Town, browser: Browser, complaints: list[str]) -> None:
    context = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 1400})
    page = context.new_page()
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.goto(f"{town.url}/dataset?q=公交")
    page.locator("summary", has=page.get_by_role("heading", name="地理范围")).click()
    map_box = page.locator(".area-map").bounding_box()
    assert map_box
    press_city(page, map_box)
    west, east = (float(page.locator(f"#f-{side}").input_value()) for side in ("west", "east"))
    assert 124 < west < 125.5 < east < 128, "Changchun lies around 125.3° east"
    drag(page, map_box)
    north, south = (float(page.locator(f"#f-{side}").input_value()) for side in ("north", "south"))
    assert south < north
    expect(page.locator(".chosen-area")).to_be_visible()
    expect(page.locator("#area-told")).to_contain_text("已选范围")
    with page.expect_navigation():
        page.get_by_role("button", name="按范围筛选").click()
    assert "north=" in page.url
    expect(page.get_by_role("link", name=re.compile("^地理范围：")).first).to_be_visible()
    expect(page.locator(".chosen-area")).to_be_visible()
    assert complaints == []
    context.close()


def press_city(page: Page, box: dict[str, float]) -> None:
    """Press within Changchun: where the drawing writes its name."""
    scale = box["width"] / 400
    page.mouse.click(box["x"] + 158 * scale, box["y"] + 120 * scale)


def drag(page: Page, box: dict[str, float]) -> None:
    x, y, width, height = (box[name] for name in ("x", "y", "width", "height"))
    page.mouse.move(x + width * 0.2, y + height * 0.2)
    page.mouse.down()
    page.mouse.move(x + width * 0.7, y + height * 0.8, steps=4)
    page.mouse.up()
