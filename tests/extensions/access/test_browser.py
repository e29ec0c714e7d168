"""The developer's and the clerk's way in a real browser, with and without script."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from werkzeug.serving import make_server

from portal.clock import system_clock
from portal.platform import Platform
from tests.extensions.access.conftest import REQUEST
from tests.extensions.access.test_pages import Site, make_site
from tests.factories import PASSWORD, SetClock

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
AXE = Path(__file__).parents[3] / "themes" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture
def served_site(
    make_platform: Callable[..., Platform], clock: SetClock
) -> Iterator[tuple[Site, str]]:
    clock.now = system_clock()
    site = make_site(make_platform("sqlite"))
    server = make_server("127.0.0.1", 0, site.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield site, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def sign_in(browser: Browser, site: Site, url: str, who: str, *, script: bool) -> Page:
    page = browser.new_context(
        java_script_enabled=script, bypass_csp=True, locale="zh-CN"
    ).new_page()
    page.goto(f"{url}/login?next=/developer")
    page.fill("[name=username]", site.names[who])
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/developer")
    return page


def check_accessible(page: Page) -> None:
    """No fault of WCAG 2.2 A/AA, and nothing wider than the window, on a desk and a telephone."""
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        # Charts take their new width a moment after the window has it.
        page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate(f"axe.run({{runOnly: {json.dumps(RULES)}}})")["violations"]
        assert not found, [(v["id"], v["nodes"][0]["html"][:200]) for v in found]


@pytest.mark.parametrize("script", [True, False])
def test_apply_review_sign_and_get_the_key(
    browser: Browser, served_site: tuple[Site, str], script: bool
) -> None:
    site, url = served_site
    look = check_accessible if script and AXE.exists() else lambda _page: None
    developer = sign_in(browser, site, url, "developer", script=script)
    clerk = sign_in(browser, site, url, "clerk", script=script)
    developer.goto(f"{url}/dataset/{site.slug}")
    look(developer)
    press(developer, "text=申请接口 >> nth=0")
    developer.fill("[name=purpose]", "短")
    look(developer)
    press(developer, "text=提交申请")
    look(developer)
    fill_form(developer)
    press(developer, "text=提交申请")
    developer.wait_for_url("**/applications/*")
    assert "还剩" in developer.inner_text("main")
    developer.reload()
    look(developer)
    clerk.goto(developer.url.replace("/applications/", "/work/applications/"))
    look(clerk)
    press(clerk, "text=受理申请")
    clerk.reload()
    look(clerk)
    press(clerk, "text=同意申请")
    assert "已同意" in clerk.inner_text("main")
    developer.reload()
    press(developer, "text=阅读协议并领取密钥")
    look(developer)
    developer.check("[name=accepted]")
    press(developer, "text=同意协议并领取密钥")
    secret = developer.inner_text("#secret")
    assert secret.startswith("xyk_")
    look(developer)
    rows = site.app.test_client().get("/data/v1/bus-stops", headers={"X-API-Key": secret})
    assert rows.status_code == 200
    developer.goto(f"{url}/developer")
    assert secret not in developer.content()
    look(developer)


def press(page: Page, selector: str) -> None:
    """Press what leads to another page, and wait until that page stands."""
    with page.expect_navigation():
        page.click(selector)


def fill_form(page: Page) -> None:
    page.fill("[name=purpose]", REQUEST.purpose)
    page.fill("[name=scenario]", REQUEST.scenario)
    page.fill("[name=capability]", REQUEST.capability)
    page.fill("[name=storage]", str(REQUEST.storage))
    page.fill("[name='reason.duty_phone']", "核对站点值班安排")
    for box in page.locator("[name=fields], [name=undertakings]").all():
        box.check()
