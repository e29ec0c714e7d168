"""One picture of each main page for the documents: `make screenshots`.

Loads the sample into a temporary folder, serves it, and writes PNG files of at most LARGEST_KB into
docs/images.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, sync_playwright
from sqlalchemy import select

from portal.commands.database import prepare_database
from portal.demo.loader import ACCOUNTS_FILE, load_sample
from portal.jobs.worker import Worker
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.platform import Platform, open_platform
from portal.settings import Settings
from tests.browser.live import ROOT, served
from tests.services.browser import find_chromium

IMAGES = ROOT / "docs" / "images"
LARGEST_KB, ALL_KB = 150, 1500
WIDTH, PHONE = 1120, {"width": 390, "height": 844}


@dataclass(frozen=True)
class Picture:
    """A page as it is shown: who looks, on which screen, with which cookies; `at` is scrolled to."""

    name: str
    path: str
    account: str = ""
    phone: bool = False
    cookies: tuple[tuple[str, str], ...] = ()
    at: str = ""
    height: int = 720


PICTURES = (
    Picture("home", "/"),
    Picture("home-map", "/", at="#cities"),
    Picture("home-dark-phone", "/", phone=True, cookies=(("scheme", "dark"),)),
    Picture("home-easy-phone", "/", phone=True, cookies=(("reader", "on"),)),
    Picture("results", "/dataset?q=公交", height=640),
    Picture("dataset", "/dataset/{table}"),
    Picture("dataset-phone", "/dataset/{table}", phone=True),
    Picture("organisation", "/organisation/jl-tra"),
    Picture("region", "/region/220100"),
    Picture("developers", "/developers"),
    Picture("work", "/work", account="tra-editor"),
    Picture("overview", "/work/overview?by=city", account="bureau-admin"),
)


def main() -> None:
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="xiangyun-pictures-") as folder:
        settings = Settings(home=Path(folder), secret_key="pictures-" * 6, anonymous_rate=0)
        platform = open_platform(settings)
        prepare_database(platform)
        load_sample(platform)
        Worker(platform).run_until_idle()
        with served(platform) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(**find_chromium().options)
            for picture in PICTURES:
                take(browser, url, picture, platform)
            browser.close()
        platform.close()
    check(sorted(IMAGES / f"{picture.name}.png" for picture in PICTURES))


def take(browser: Browser, url: str, picture: Picture, platform: Platform) -> None:
    """Write the picture of one page."""
    context = browser.new_context(
        locale="zh-CN",
        viewport=PHONE if picture.phone else {"width": WIDTH, "height": picture.height},  # type: ignore[arg-type]
    )
    context.add_cookies([{"name": k, "value": v, "url": url} for k, v in picture.cookies])
    if picture.account:
        sign_in(context, url, picture.account, platform.settings.home / ACCOUNTS_FILE)
    page = context.new_page()
    page.goto(url + picture.path.format(table=_shown_slug(platform)))
    if picture.at:
        page.locator(picture.at).scroll_into_view_if_needed()
        page.evaluate("at => document.querySelector(at).scrollIntoView()", picture.at)
    page.wait_for_timeout(1200)  # charts draw themselves in
    page.screenshot(path=IMAGES / f"{picture.name}.png")
    context.close()


def sign_in(context: BrowserContext, url: str, username: str, accounts: Path) -> None:
    lines = (line.split() for line in accounts.read_text("utf-8").splitlines())
    password = next(parts[1] for parts in lines if parts and parts[0] == username)
    page = context.new_page()
    page.goto(f"{url}/login")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda address: "/login" not in address)
    page.close()


def _shown_slug(platform: Platform) -> str:
    """Return the sample data set that the pictures show."""
    with platform.database.reading() as session:
        query = (
            select(CatalogueEntry.slug)
            .join(EntryVersion, EntryVersion.id == CatalogueEntry.published_version_id)
            .where(EntryVersion.title.contains("医疗机构执业登记"))
        )
        return session.scalars(query).one()


def check(paths: list[Path]) -> None:
    """Say the sizes; end with an error when a picture, or all of them, are too large."""
    sizes = {path.name: path.stat().st_size / 1024 for path in paths}
    for name, kilobytes in sizes.items():
        print(f"  docs/images/{name:<24}{kilobytes:6.0f} KB")
    if max(sizes.values()) > LARGEST_KB or sum(sizes.values()) > ALL_KB:
        sys.exit(f"a picture is larger than {LARGEST_KB} KB, or all than {ALL_KB} KB")


if __name__ == "__main__":
    main()
