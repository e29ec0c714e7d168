"""Files in a real browser: versions and their differences, and an upload that is interrupted."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.app import create_app
from portal.clock import system_clock
from portal.jobs.worker import Worker
from portal.models import DataVersion, PartialUpload
from portal.platform import Platform
from tests.browser.live import look, served, sign_in
from tests.factories import SetClock
from tests.faults.working import running_worker, wait_until
from tests.portal.web.conftest import Site
from tests.portal.web.test_file_versions import SECOND, deliver
from tests.portal.web.work.conftest import Office

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SIZE = 40 * 1024 * 1024


@pytest.fixture
def platform(make_platform: Callable[..., Platform], clock: SetClock) -> Platform:
    clock.now = system_clock()
    return make_platform("sqlite")


def _page(browser: Browser, *, script: bool = True) -> Page:
    return browser.new_context(java_script_enabled=script, locale="zh-CN").new_page()


def _percent(page: Page) -> float:
    return float(page.get_attribute(".upload-panel progress", "value") or 0)


def _slow_down(page: Page) -> None:
    """Send as a telephone does, so that there is a middle to act in."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 5, "downloadThroughput": -1, "uploadThroughput": 12e6},
    )


def test_versions_and_differences(platform: Platform, browser: Browser) -> None:
    site = Site(platform, create_app(platform))
    slug = site.opened()
    deliver(site, slug, SECOND, reason="更正第七站的名称，删去已停用的站点，补充新开通的站点")
    with served(platform) as url:
        page = _page(browser)
        page.goto(f"{url}/dataset/{slug}#files")
        page.click("text=校验值和历史版本")
        look(page, "dataset-files")
        page.click("text=全部版本与差异")
        look(page, "file-versions")
        page.click("text=与上一版的差异")
        assert page.inner_text("del") == "第7站"
        look(page, "file-difference")
        page.click("text=历史版本")
        page.click("h3 a:has-text('第 1 版')")
        assert "[DS/OL]" in page.inner_text("#cite-gb")
        look(page, "file-version")


@pytest.fixture
def big(tmp_path: Path) -> Path:
    path = tmp_path / "大文件.bin"
    path.write_bytes(os.urandom(1024) * (SIZE // 1024))
    return path


@pytest.fixture
def clerk(platform: Platform, browser: Browser) -> Iterator[tuple[Office, Page, str]]:
    office = Office(platform, create_app(platform))
    slug = office.made(lambda catalogue, people: catalogue.published().slug)
    username = office.username("agency_editor", "JL-TRA")
    with served(platform) as url:
        page = _page(browser)
        sign_in(page, url, username)
        page.goto(f"{url}/work/entries/{slug}/files")
        _slow_down(page)
        yield office, page, slug


def test_a_large_file_is_paused_left_and_goes_on(
    clerk: tuple[Office, Page, str], big: Path
) -> None:
    office, page, _ = clerk
    sent: list[int] = []
    page.on(
        "response",
        lambda answer: sent.append(answer.status) if answer.request.method == "PATCH" else None,
    )
    page.set_input_files("#f-file", big)
    page.fill("#f-name", "全量数据")
    page.click("text=上传 >> nth=-1")
    wait_until(lambda: _percent(page) >= 20, 60)
    page.click("[data-do=pause]")
    wait_until(lambda: "已暂停" in page.inner_text(".upload-text"), 30)
    look(page, "upload-paused")
    assert sent[0] == 204
    page.reload()
    sent.clear()  # the part that the pause broke off is answered to nobody
    assert "未完成的上传" in page.inner_text("main")
    look(page, "upload-unfinished")
    before = office.read(lambda s: s.scalar(select(PartialUpload.offset_bytes)))
    assert 0 < before < SIZE
    with running_worker(office.platform):
        page.set_input_files("#f-file", big)
        page.fill("#f-name", "全量数据")
        page.click("text=上传 >> nth=-1")
        page.wait_for_url("**/received", timeout=60_000)
    digest = hashlib.sha256(big.read_bytes()).hexdigest()
    assert "全量数据" in page.inner_text("h2 >> nth=0")
    assert digest in page.inner_text("main")
    look(page, "upload-received")
    assert office.read(lambda s: list(s.scalars(select(DataVersion.sha256)))) == [digest]
    assert len(office.read(lambda s: list(s.scalars(select(PartialUpload.id))))) == 1
    assert set(sent) == {204}


def test_a_large_file_is_cancelled_and_nothing_is_left(
    clerk: tuple[Office, Page, str], big: Path
) -> None:
    office, page, _ = clerk
    page.set_input_files("#f-file", big)
    page.click("text=上传 >> nth=-1")
    wait_until(lambda: _percent(page) >= 20, 60)
    page.click("[data-do=cancel]")
    page.wait_for_selector("#f-file")
    assert office.read(lambda s: list(s.scalars(select(PartialUpload.id)))) == []
    # A piece that was on its way when the row went is taken away by whoever received it.
    wait_until(lambda: list(office.platform.storage.parts.list()) == [], 10)


def test_what_the_server_refuses_is_said_beside_the_form(
    clerk: tuple[Office, Page, str], big: Path
) -> None:
    office, page, _ = clerk
    fake = big.rename(big.with_name("假.xlsx"))
    page.set_input_files("#f-file", fake)
    page.click("text=上传 >> nth=-1")
    page.wait_for_selector("text=正在校验和保存")
    Worker(office.platform).run_until_idle()
    page.wait_for_selector("[role=alert]:has-text('不是有效的 Excel 工作簿')", timeout=20_000)
    assert page.is_visible("#f-file")
