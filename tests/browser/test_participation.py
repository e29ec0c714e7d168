"""Taking part: what a citizen says and asks, with script and without, and axe on every page of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from portal.app import create_app
from portal.jobs.worker import Worker
from portal.platform import Platform
from tests.browser.live import AXE, faults_of, served, sign_in
from tests.browser.talk import TITLES, Talk, talk_about
from tests.browser.test_crawl import STATES, WIDTHS, choose
from tests.portal.web.conftest import Site

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
MINE = (
    "/follows",
    "/demands/new",
    "/demands/new?title=全省农村客运班线时刻和票价",
    "/demands/{demands[assigned]}",
    "/demands/{demands[open]}",
    "/reuses/new?used={slug}",
    "/dataset/{slug}",
    "/dataset/{slug}/discussion",
)
OF_BUREAU = ("/work/participation", "/work/demands", "/work/demands/{demands[open]}")


@dataclass
class Town:
    url: str
    slug: str
    talk: Talk
    platform: Platform


@pytest.fixture
def town(make_platform: Callable[..., Platform]) -> Iterator[Town]:
    platform = make_platform("sqlite")
    slug = Site(platform, create_app(platform)).opened(title="长春市公共汽电车站点")
    talk = talk_about(platform, slug)
    Worker(platform).run_until_idle()
    with served(platform) as url:
        yield Town(url, slug, talk, platform)


@pytest.fixture
def open_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    opened: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        opened.append(browser.new_context(locale="zh-CN", **options))
        return opened[-1]

    yield make
    for context in opened:
        context.close()


def looked_at(page: Page, town: Town, paths: tuple[str, ...], cookies: list[Any]) -> list[str]:
    """Return the faults of the pages, each light on a wide screen and otherwise on a narrow one."""
    axe, faults, states = AXE.read_text("utf-8"), list[str](), list(STATES)[1:]
    for number, path in enumerate(paths):
        address = path.format(slug=town.slug, demands=town.talk.demands)
        for state, size in (("light", WIDTHS[0]), (states[number % len(states)], WIDTHS[1])):
            choose(page.context, town.url, state)
            page.context.add_cookies(cookies)
            page.set_viewport_size({"width": size[0], "height": size[1]})
            answer = page.goto(town.url + address)
            assert answer is not None
            assert answer.ok, address
            page.evaluate(axe)
            faults += [f"{path} {state} {size[0]}: {fault}" for fault in faults_of(page)]
    return faults


def signed_in(context: BrowserContext, town: Town, username: str) -> tuple[Page, list[Any]]:
    page = context.new_page()
    sign_in(page, town.url, username)
    return page, list(context.cookies())


def test_no_fault_on_the_pages_of_who_is_signed_in(
    town: Town, open_context: Callable[..., BrowserContext]
) -> None:
    page, cookies = signed_in(open_context(), town, town.talk.applicant)
    assert not (faults := looked_at(page, town, MINE, cookies)), "\n".join(faults)
    page, cookies = signed_in(open_context(), town, town.talk.bureau)
    assert not (faults := looked_at(page, town, OF_BUREAU, cookies)), "\n".join(faults)


def press(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).first.click()


@pytest.mark.parametrize("options", [
    {"viewport": PHONE, "java_script_enabled": False},
    {"viewport": DESK},
], ids=["phone-no-script", "desk"])  # fmt: skip
def test_a_citizen_takes_part(
    town: Town, open_context: Callable[..., BrowserContext], options: dict[str, Any]
) -> None:
    page = open_context(**options).new_page()
    sign_in(page, town.url, town.talk.newcomer)
    file_a_demand(page, town)
    support_another(page, town)
    ask_and_rate(page, town)
    follow_and_stop(page, town)
    show_a_reuse(page, town)


def file_a_demand(page: Page, town: Town) -> None:
    page.goto(f"{town.url}/demands")
    page.get_by_role("link", name="提出数据需求").click()
    title = "公共体育场馆开放时间和预约方式"
    page.get_by_label("需要什么数据").fill(title)
    page.get_by_label("用来做什么").fill("给社区老人做一张可以打印的开放时间表")
    press(page, "提交需求")
    expect(page.get_by_text("别人提过的需求")).to_be_visible()
    press(page, "没有我要的，提交需求")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("需要什么数据")).to_have_value(title)
    page.get_by_label("需要哪些信息项").fill("馆名、地址、每天的开放时间")
    press(page, "没有我要的，提交需求")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_role("status").first).to_contain_text("需求已提交")


def support_another(page: Page, town: Town) -> None:
    page.goto(f"{town.url}/demands?q=体育场馆")
    page.get_by_role("link", name=TITLES["open"]).click()
    expect(page.get_by_role("heading", name="2 人支持")).to_be_visible()
    press(page, "我也需要")
    expect(page.get_by_role("heading", name="3 人支持")).to_be_visible()


def ask_and_rate(page: Page, town: Town) -> None:
    page.goto(f"{town.url}/dataset/{town.slug}/discussion")
    page.get_by_label("内容").fill("站点编码会变吗？")
    press(page, "提交")
    expect(page.get_by_text("待审核，仅您可见")).to_be_visible()
    page.get_by_label("对这项数据的评价").select_option("5")
    press(page, "评分")
    expect(page.get_by_text("2 人评分")).to_be_visible()


def follow_and_stop(page: Page, town: Town) -> None:
    page.goto(f"{town.url}/dataset/{town.slug}#participation")
    press(page, "关注")
    expect(page.locator("#participation")).to_contain_text("2 人关注")
    page.goto(f"{town.url}/follows")
    expect(page.get_by_role("link", name="长春市公共汽电车站点")).to_be_visible()
    press(page, "取消关注")
    expect(page.get_by_text("还没有关注数据")).to_be_visible()


def show_a_reuse(page: Page, town: Town) -> None:
    page.goto(f"{town.url}/reuses/new?used={town.slug}")
    page.get_by_label("名称").fill("站点查询小程序")
    page.get_by_label("类型").select_option("app")
    page.get_by_label("网址", exact=True).fill("https://example.org/stops")
    page.get_by_label("说明").fill("在微信里按名称查公交站点的位置。")
    press(page, "提交")
    expect(page.get_by_role("heading", level=1)).to_contain_text("站点查询小程序")


def test_the_menu_of_who_is_signed_in_leads_to_what_they_follow(
    town: Town, open_context: Callable[..., BrowserContext]
) -> None:
    page = open_context(viewport=PHONE).new_page()
    sign_in(page, town.url, town.talk.applicant)
    page.goto(town.url)
    account = page.locator(".site-tools .account")
    name = account.get_by_role("link").bounding_box()
    leave = account.get_by_role("button").bounding_box()
    assert name
    assert leave
    assert abs(name["y"] - leave["y"]) < 4, "退出 stands under the name"
    page.get_by_text("菜单").click()
    page.get_by_role("link", name="我的关注").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("我的关注")


def test_sharing_needs_no_other_host(
    town: Town, open_context: Callable[..., BrowserContext]
) -> None:
    context = open_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    foreign: list[str] = []
    page.on("request", lambda r: None if "127.0.0.1" in r.url else foreign.append(r.url))
    page.goto(f"{town.url}/dataset/{town.slug}")
    page.get_by_text("分享和订阅").click()
    code = page.get_by_alt_text("本页网址的二维码")
    code.scroll_into_view_if_needed()
    expect(code).to_be_visible()
    answer = page.request.get(f"{town.url}/dataset/{town.slug}/qr.svg")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert foreign == []
