"""People in Chromium: registering, a second factor, a passkey of a virtual authenticator."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from portal.jobs.worker import Worker
from portal.platform import Platform
from tests.browser.live import look, served, sign_in
from tests.factories import PASSWORD, TRANSPORT, People, SetClock
from tests.mailbox import Mailbox

pytestmark = pytest.mark.browser
NEW_PASSWORD = "长春的冬天很冷要多穿衣"


@pytest.fixture
def portal(
    make_platform: Callable[..., Platform], mailbox: Mailbox
) -> Iterator[tuple[Platform, str]]:
    """The portal under the name localhost: an address of numbers has no passkeys."""
    platform = make_platform("sqlite", smtp_url=mailbox.url, staff_second_factor=True)
    with served(platform) as url:
        address = url.replace("127.0.0.1", "localhost")
        platform.settings = platform.settings.model_copy(update={"site_url": address})
        yield platform, address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="zh-CN")
    yield context.new_page()
    context.close()


def _editor(platform: Platform) -> str:
    with platform.database.writing() as session:
        return People(platform, session).account("agency_editor", TRANSPORT).username


def _authenticator(page: Page) -> None:
    """Give the page a platform authenticator that says yes."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_is_made_and_opens_the_next_sign_in(
    portal: tuple[Platform, str], page: Page
) -> None:
    platform, url = portal
    name = _editor(platform)
    _authenticator(page)
    sign_in(page, url, name)
    expect(page.get_by_role("heading", name="二次验证")).to_be_visible()
    look(page, "second-factor-duty")
    with page.expect_navigation():
        page.get_by_role("button", name="添加通行密钥").click()
    page.fill("form[data-passkey] input[name=name]", "办公电脑")
    with page.expect_navigation():
        page.get_by_role("button", name="让浏览器建立密钥").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    expect(page.get_by_role("rowheader", name="办公电脑")).to_be_visible()
    look(page, "second-factor-passkey")
    with page.expect_navigation():
        page.get_by_role("button", name="退出").click()
    page.goto(f"{url}/login")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", PASSWORD)
    with page.expect_navigation(url=re.compile("/login/second")):
        page.press("input[name=password]", "Enter")
    look(page, "login-second")
    with page.expect_navigation(url=re.compile("/work")):
        page.get_by_role("button", name="使用通行密钥").click()
    expect(page.get_by_role("link", name="我的账号").first).to_be_visible()


def test_an_authenticator_is_set_up_without_script(
    portal: tuple[Platform, str], browser: Browser, clock: SetClock
) -> None:
    platform, url = portal
    name = _editor(platform)
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    sign_in(page, url, name)
    with page.expect_navigation():
        page.get_by_role("button", name="取得密钥").click()
    expect(page.locator(".qr svg")).to_be_visible()
    secret = page.locator("#totp-secret").inner_text()
    page.fill("input[name=code]", pyotp.TOTP(secret).at(clock()))
    with page.expect_navigation():
        page.get_by_role("button", name="启用", exact=True).click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    context.close()


def test_somebody_registers_and_looks_after_the_account(
    portal: tuple[Platform, str], page: Page, mailbox: Mailbox
) -> None:
    platform, url = portal
    page.goto(f"{url}/register")
    look(page, "register")
    page.fill("input[name=email]", "li@example.cn")
    page.check("input[name=terms]")
    with page.expect_navigation():
        page.get_by_role("button", name="发送链接").click()
    expect(page.get_by_role("heading", name="请查收邮件")).to_be_visible()
    Worker(platform).run_until_idle()
    page.goto(url + mailbox.link())
    page.fill("input[name=username]", "li-ming")
    page.fill("input[name=display_name]", "李明")
    for field in ("password", "again"):
        page.fill(f"input[name={field}]", NEW_PASSWORD)
    look(page, "register-confirm")
    with page.expect_navigation(url=re.compile("/login")):
        page.get_by_role("button", name="建立账号").click()
    page.fill("input[name=username]", "li-ming")
    page.fill("input[name=password]", NEW_PASSWORD)
    with page.expect_navigation():
        page.get_by_role("button", name="登录", exact=True).click()
    page.goto(f"{url}/account")
    look(page, "account")
