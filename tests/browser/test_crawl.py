"""Every public page, found by following links: axe with all its rules, at both widths, in each state.

States: light, dark, the version for the old, English; besides the pages that links lead to, error
and empty ones. One page of a kind (its route and parameter) is looked at, light on a wide screen and
in another state at another width in turn, the home page in all: so the crawl stays quick.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urldefrag, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from portal.app import create_app
from portal.jobs.worker import Worker
from portal.platform import Platform
from tests.browser.live import AXE, faults_of, served
from tests.browser.talk import talk_about
from tests.portal.web.conftest import Site

pytestmark = pytest.mark.browser
WIDTHS = ((1440, 900), (390, 844))
STATES = {
    "light": {},
    "dark": {"scheme": "dark"},
    "reader": {"reader": "on"},
    "reader-dark": {"reader": "large", "scheme": "dark"},
    "english": {"lang": "en"},
}
NO_PAGES = re.compile(
    r"^/(static|api|data|lang|display|logout)\b|\.(xml|csv|xlsx|json|zip|ttl|rss|atom|txt)$"
    r"|/(download|export|package|version|original)\b"
)
UNLINKED = (
    "/dataset?q=没有这样的数据&theme=weather",
    "/dataset?page=-1",
    "/dataset/none",
    "/region/none",
    "/organisation/jl-tra/history/99",
    "/help/none",
    "/work",
    "/dataset/{slug}?tq=没有这一行",
    "/dataset/{slug}?by=-no_such_column",
    "/demands?q=没有这样的需求",
    "/demands?state=answered",
    "/demands/99999",
    "/reuses?kind=news",
    "/reuses/99999",
)


@dataclass
class Town:
    url: str
    slug: str


@pytest.fixture
def town(make_platform: Callable[..., Platform]) -> Iterator[Town]:
    platform = make_platform(
        "sqlite",
        site_host="吉林省政务服务和数字化建设管理局",
        site_icp="吉ICP备00000000号",
        site_errata_url="https://example.org/errata",
    )
    site = Site(platform, create_app(platform))
    slug = site.opened(title="长春市公共汽电车站点", region="220100", keywords=("公交", "出行"))
    site.opened(title="名称很长的数据集" + "用来检查换行和省略" * 12, theme="weather")
    site.conditional(title="公交车辆实时到站预测")
    retired = site.opened(title="已合并的旧站点数据")
    site.retire(retired, "并入长春市公共汽电车站点")
    talk_about(platform, slug)
    Worker(platform).run_until_idle()
    with served(platform) as url:
        yield Town(url, slug)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
    yield opened
    opened.close()


def kind_of(path: str) -> str:
    """Return what stands for all pages of one kind: the path without its names, its parameters."""
    parts = urlsplit(path)
    names = "&".join(sorted(pair.split("=")[0] for pair in parts.query.split("&") if pair))
    plain = re.sub(r"^/(dataset|organisation|region)/[^/]+", r"/\1/*", parts.path)
    return re.sub(r"/\d+", "/0", plain) + ("?" + names if names else "")


def crawl(page: Page, url: str) -> list[str]:
    """Return public pages reached from the home page, one of each kind."""
    waiting, kinds, found = ["/"], {"/"}, []
    while waiting:
        path = waiting.pop(0)
        response = page.request.get(url + path)
        if "text/html" not in response.headers.get("content-type", ""):
            continue
        found.append(path)
        for link in re.findall(r'href="(/[^"]*)"', response.text()):
            target = urldefrag(link.replace("&amp;", "&")).url
            parts, kind = urlsplit(target), kind_of(target)
            if kind in kinds or "&" in parts.query or NO_PAGES.search(parts.path):
                continue
            kinds.add(kind)
            waiting.append(target)
    return found


def choose(context: BrowserContext, url: str, state: str) -> None:
    context.clear_cookies()
    context.add_cookies(
        [{"name": name, "value": value, "url": url} for name, value in STATES[state].items()]
    )


def test_no_fault_on_any_page_in_any_state(town: Town, context: BrowserContext) -> None:
    page = context.new_page()
    paths = crawl(page, town.url) + [path.format(slug=town.slug) for path in UNLINKED]
    assert len(paths) > 30, paths
    axe = AXE.read_text(encoding="utf-8")
    faults: list[str] = []
    for number, path in enumerate(paths):
        for state, (width, height) in looks_at(number):
            choose(context, town.url, state)
            page.set_viewport_size({"width": width, "height": height})
            page.goto(town.url + path)
            page.evaluate(axe)
            faults += [f"{path} {state} {width}: {fault}" for fault in faults_of(page)]
    assert not faults, "\n".join(faults)


def looks_at(number: int) -> list[tuple[str, tuple[int, int]]]:
    """Return in which states, at which sizes, the page of this number is looked at."""
    others = [(state, WIDTHS[n % 2]) for n, state in enumerate(STATES)][1:]
    if number == 0:
        return [(state, size) for state in STATES for size in WIDTHS]
    return [("light", WIDTHS[(number + 1) % 2]), others[number % len(others)]]
