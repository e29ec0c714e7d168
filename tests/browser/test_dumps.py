"""The page of the catalogue's dumps, empty and filled, seen at both widths."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from extensions.exchange.dumps.making import make_dump
from portal.app import create_app
from portal.platform import Platform
from tests.browser.live import look, served
from tests.factories import SetClock
from tests.portal.web.conftest import Site

pytestmark = pytest.mark.browser


def test_the_dumps_are_offered(
    make_platform: Callable[..., Platform], browser: Browser, clock: SetClock
) -> None:
    platform = make_platform("sqlite")
    site = Site(platform, create_app(platform))
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    with served(site.platform) as url:
        page.goto(f"{url}/dumps")
        look(page, "dumps-empty")
        site.opened()
        make_dump(site.platform)
        clock.advance(days=1)
        make_dump(site.platform)
        page.goto(f"{url}/dumps")
        look(page, "dumps")
        assert page.locator("main section h2").count() == 3
        with page.expect_download() as found:
            page.get_by_role("link", name="open-list.csv").first.click()
        assert found.value.suggested_filename == "open-list.csv"
    context.close()
