"""The pages of policy, upstream service, narrower terms and keys fit a desk and a telephone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.extensions.access.test_browser import (
    AXE,
    check_accessible,
    served_site,
    sign_in,
)
from tests.extensions.access.test_keys import granted
from tests.extensions.access.test_pages import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
__all__ = ["served_site"]


def look(page: Page, name: str) -> None:
    if AXE.exists():
        check_accessible(page)
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def test_pages_fit_and_are_accessible(browser: Browser, served_site: tuple[Site, str]) -> None:
    site, url = served_site
    _developer, mine = granted(site)
    pages = {
        "clerk": (f"/work{mine}", "/work/access-policy"),
        "developer": (mine,),
        "editor": ("/work/interfaces/bus-stops/upstream",),
    }
    for who, paths in pages.items():
        page = sign_in(browser, site, url, who, script=True)
        for number, path in enumerate(paths):
            page.goto(url + path)
            for summary in page.locator("main details.disclosure > summary").all():
                summary.click()
            look(page, f"{who}-{number}")
