"""The page of an interface, its console and the dashboards in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from extensions.access.services.availability import add_up_days
from portal.clock import system_clock
from portal.platform import Platform
from tests.extensions.access.sandbox_fixtures import Box
from tests.extensions.access.test_browser import AXE, check_accessible, sign_in
from tests.extensions.access.test_call_log import log_of
from tests.extensions.access.test_use import site_of
from tests.factories import SetClock
from tests.live import LiveServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_console_keys_and_dashboards(
    make_platform: Callable[..., Platform],
    open_box: Callable[..., Box],
    live_server: Callable[[Platform], LiveServer],
    browser: Browser,
    clock: SetClock,
) -> None:
    clock.now = system_clock()
    box = open_box(make_platform("sqlite"))
    for limit in (2, 3, 4):
        box.served.get(f"/rows?limit={limit}")
    log_of(box.served).flush()
    add_up_days(box.served.platform, {})
    url = live_server(box.served.platform).url
    site = site_of(box.served)
    look = check_accessible if AXE.exists() else lambda _page: None

    page = browser.new_context(bypass_csp=True, locale="zh-CN").new_page()
    page.goto(f"{url}/interfaces/bus-stops")
    page.wait_for_selector(".chart canvas")
    page.click("form.console button[type=submit]")
    page.wait_for_selector("#try-answer pre")
    assert page.url == f"{url}/interfaces/bus-stops"  # the answer came in its place
    assert "synthetic" in page.inner_text("#try-answer")
    look(page)
    _without_script(browser, url)

    developer = sign_in(browser, site, url, "developer", script=True)
    developer.goto(f"{url}/developer/sandbox")
    look(developer)
    with developer.expect_navigation():
        developer.click("main form button:has-text('领取沙箱密钥')")
    assert developer.inner_text("#secret").startswith("xys_")
    developer.goto(f"{url}/developer/use")
    developer.wait_for_selector(".chart canvas")
    look(developer)
    bureau = sign_in(browser, site, url, "bureau", script=True)
    bureau.goto(f"{url}/work/interface-use")
    bureau.wait_for_selector(".chart canvas")
    look(bureau)


def _without_script(browser: Browser, url: str) -> None:
    page: Page = browser.new_context(java_script_enabled=False, locale="zh-CN").new_page()
    page.goto(f"{url}/interfaces/bus-stops")
    page.select_option("[name=call]", "count")
    with page.expect_navigation():
        page.click("form.console button[type=submit]")
    assert '"count"' in page.inner_text("#try-answer")
    assert page.url.endswith("#try")
