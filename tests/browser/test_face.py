"""The face in Chromium: keyboard, zoom, the version for the old, charts, weight of a first view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from portal.app import create_app
from portal.platform import Platform
from tests.benchmarks.pages import AIM_KB, first_view
from tests.browser.live import served
from tests.factories import PASSWORD
from tests.portal.web.conftest import Site

pytestmark = pytest.mark.browser
DESK = {"width": 1440, "height": 900}
ZOOMED = {"width": 720, "height": 450}  # what a window of 1440 × 900 shows at 200 %
NARROW = {"width": 320, "height": 640}  # what one of 1280 shows at 400 %


@dataclass
class Town:
    url: str
    slug: str


@pytest.fixture
def town(make_platform: Callable[..., Platform]) -> Iterator[Town]:
    platform = make_platform("sqlite")
    site = Site(platform, create_app(platform))
    slug = site.opened(title="长春市公共汽电车站点", region="220100")
    with served(platform) as url:
        yield Town(url, slug)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    opened: list[BrowserContext] = []

    def make(**options: object) -> Page:
        context = browser.new_context(locale="zh-CN", **options)  # type: ignore[arg-type]
        opened.append(context)
        return context.new_page()

    yield make
    for context in opened:
        context.close()


def tab_to(page: Page, name: str, *, most: int = 60) -> None:
    """Press Tab until a link or button of this name has the focus, which must be visible."""
    for _n in range(most):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "() => { const e = document.activeElement, s = getComputedStyle(e);"
            " if (e === document.body) return ['', 'page'];"
            " const mark = e.closest('svg') ? 'drawn' : s.outlineStyle;"
            " return [e.getAttribute('aria-label') || e.innerText || '', mark]; }"
        )
        assert found[1] != "none", f"the focus does not show: {found[0]}"
        if name in found[0]:
            return
    raise AssertionError(f"{name} is not reached")


def test_the_map_works_by_keyboard(town: Town, open_page: Callable[..., Page]) -> None:
    page = open_page(viewport=DESK)
    page.goto(f"{town.url}/region")
    tab_to(page, "长春市：1 个数据集")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("长春市")
    tab_to(page, "检索该地区的数据")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="长春市公共汽电车站点")).to_be_visible()


def test_dark_and_the_version_for_the_old_without_script(
    town: Town, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport=DESK, java_script_enabled=False)
    page.goto(f"{town.url}/about")
    page.get_by_role("link", name="深色").click()
    expect(page).to_have_url(f"{town.url}/about")
    expect(page.locator("html")).to_have_attribute("data-scheme", "dark")
    expect(page.get_by_role("link", name="浅色")).to_be_visible()
    expect(page.get_by_role("link", name="深色")).to_be_hidden()
    page.get_by_role("link", name="适老版").first.click()
    expect(page.get_by_role("link", name="特大字")).to_be_visible()
    expect(page.get_by_role("button", name="朗读正文")).to_be_hidden()
    page.get_by_role("link", name="特大字").click()
    expect(page.locator("html")).to_have_attribute("data-reader", "large")
    page.get_by_role("link", name="退出适老版").click()
    expect(page.locator(".reader-bar")).to_have_count(0)


def test_reading_aloud_says_when_the_device_has_no_voice(
    town: Town, open_page: Callable[..., Page]
) -> None:
    """The Chromium of tests has no voices: the reader is told instead of waiting."""
    page = open_page(viewport=DESK)
    page.goto(f"{town.url}/display/reader/on?next=/help/citizens")
    page.get_by_role("button", name="朗读正文").click()
    expect(page.get_by_role("status").filter(has_text="没有可用的语音")).to_be_visible()


def test_zoom_loses_nothing(town: Town, open_page: Callable[..., Page]) -> None:
    page = open_page(viewport=ZOOMED)
    for path in ("/", f"/dataset/{town.slug}", "/dataset", "/developers", "/region/220100"):
        page.goto(town.url + path)
        for size in (ZOOMED, NARROW):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wider <= 0, f"{path} is {wider} px too wide at {size}"
        page.get_by_text("菜单").click()
        expect(page.get_by_role("link", name="帮助").first).to_be_visible()


def test_errors_are_announced_and_focused(town: Town, open_page: Callable[..., Page]) -> None:
    page = open_page(viewport=DESK)
    page.goto(f"{town.url}/login")
    page.fill("input[name=username]", "nobody")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("用户名")).to_have_value("nobody")


def test_a_first_view_of_a_data_set_is_light(town: Town, browser: Browser) -> None:
    view = first_view(browser, f"{town.url}/dataset/{town.slug}", slower=1)
    assert view.paint_ms > 0
    assert view.sent_kb < AIM_KB


def test_a_trial_call_shows_its_answer(town: Town, open_page: Callable[..., Page]) -> None:
    page = open_page(viewport=DESK)
    page.goto(f"{town.url}/developers")
    page.get_by_role("button", name="调用 package_search").click()
    expect(page.locator(".try-answer pre")).to_contain_text('"success": true')


def test_paper_shows_the_matter_only(town: Town, open_page: Callable[..., Page]) -> None:
    page = open_page(viewport=DESK, color_scheme="dark")
    page.goto(f"{town.url}/dataset/{town.slug}")
    page.emulate_media(media="print")
    expect(page.get_by_role("link", name="数据目录").first).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
