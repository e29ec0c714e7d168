"""Journey 3: a citizen finds, looks and downloads, without an account, on any screen, with no script."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from portal.app import create_app
from portal.platform import Platform
from tests.browser.live import served
from tests.portal.web.conftest import ROWS, Site

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}


@dataclass
class Town:
    """The portal with some data, and its address."""

    url: str
    slug: str
    conditional: str


@pytest.fixture
def town(make_platform: Callable[..., Platform]) -> Iterator[Town]:
    platform = make_platform("sqlite")
    site = Site(platform, create_app(platform))
    slug = site.opened(
        title="长春市公共汽电车站点", keywords=("公交", "站点", "出行"), region="220100"
    )
    site.opened(title="全省医院开放床位日报", theme="health", update_frequency="daily")
    site.opened(title="名称很长的数据集" + "用来检查换行和省略" * 12, theme="weather")
    conditional = site.conditional(title="公交车辆实时到站预测")
    retired = site.opened(title="已合并的旧站点数据")
    site.retire(retired, "并入长春市公共汽电车站点")
    with served(platform) as url:
        yield Town(url, slug, conditional)


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def open_context(
    browser: Browser, complaints: list[str]
) -> Iterator[Callable[..., BrowserContext]]:
    """Return a maker of contexts whose console errors and foreign requests are noted."""
    opened: list[BrowserContext] = []

    def make(**options: object) -> BrowserContext:
        context = browser.new_context(locale="zh-CN", accept_downloads=True, **options)  # type: ignore[arg-type]
        context.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on(
            "request",
            lambda request: (
                None if "127.0.0.1" in request.url else complaints.append(f"asks {request.url}")
            ),
        )
        opened.append(context)
        return context

    yield make
    for context in opened:
        context.close()


def downloaded(page: Page, action: Callable[[], None]) -> tuple[str, bytes]:
    with page.expect_download() as waiting:
        action()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def find_and_download(page: Page, town: Town) -> None:
    """Home, three taps, and the file is there."""
    page.goto(town.url)
    page.locator("#home-q").fill("公交站点")
    page.get_by_role("button", name="检索").click()
    expect(page.locator(".hits mark").first).to_be_visible()
    page.get_by_role("link", name="长春市公共汽电车站点").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("长春市公共汽电车站点")
    name, data = downloaded(page, lambda: page.get_by_role("link", name="下载 CSV").click())
    assert name == "公交站点.csv"
    assert data == ROWS.encode()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_three_taps_from_home_to_the_file(
    town: Town,
    open_context: Callable[..., BrowserContext],
    complaints: list[str],
    size: dict[str, int],
) -> None:
    find_and_download(open_context(viewport=size).new_page(), town)
    assert complaints == []


def test_all_of_it_works_without_script(
    town: Town, open_context: Callable[..., BrowserContext]
) -> None:
    page = open_context(viewport=PHONE, java_script_enabled=False).new_page()
    find_and_download(page, town)
    page.goto(f"{town.url}/dataset")
    page.locator(".facets > summary").click()
    page.get_by_role("link", name="无条件开放").first.click()
    expect(page.locator(".results-count")).to_contain_text("3")
    page.get_by_role("link", name="开放类型：无条件开放").click()
    expect(page.locator(".results-count")).to_contain_text("4")
    page.goto(f"{town.url}/dataset/{town.slug}")
    page.get_by_label("筛选 日客流量").fill(">=590")
    page.get_by_role("button", name="筛选").click()
    expect(page.locator("#preview tbody tr")).to_have_count(2)
    page.get_by_role("link", name="日客流量").click()
    page.get_by_text("导出筛选结果").click()
    name, data = downloaded(
        page, lambda: page.locator("#preview").get_by_role("link", name="CSV（UTF-8）").click()
    )
    assert name == "公交站点.csv"
    assert len(list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))) == 3
    page.goto(town.url)
    page.get_by_text("菜单").click()
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("button", name="Search")).to_be_visible()


def test_the_table_filters_in_place(
    town: Town, open_context: Callable[..., BrowserContext], complaints: list[str]
) -> None:
    page = open_context(viewport=DESK).new_page()
    page.goto(f"{town.url}/dataset/{town.slug}")
    page.evaluate("window.stayed = true")
    page.get_by_role("searchbox", name="在表格中查找").fill("第33站")
    page.get_by_role("button", name="筛选").click()
    expect(page.locator("#preview tbody tr")).to_have_count(1)
    assert "tq=" in page.url
    assert page.evaluate("window.stayed") is True
    page.go_back()
    expect(page.locator("#preview tbody tr")).to_have_count(20)
    page.get_by_role("link", name="下一页").click()
    expect(page.locator("#preview tbody tr").first).to_contain_text("第21站")
    assert complaints == []


def test_conditional_data_leads_to_the_application(
    town: Town, open_context: Callable[..., BrowserContext]
) -> None:
    page = open_context(viewport=PHONE).new_page()
    page.goto(f"{town.url}/dataset/{town.conditional}")
    expect(page.locator(".state-line")).to_contain_text("有条件开放")
    expect(page.locator("#preview")).to_have_count(0)


def test_everything_can_be_reached_by_keyboard(
    town: Town, open_context: Callable[..., BrowserContext]
) -> None:
    page = open_context(viewport=DESK).new_page()
    page.goto(town.url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#home-q")).to_be_focused()
    page.keyboard.type("床位")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="全省医院开放床位日报")).to_be_visible()
