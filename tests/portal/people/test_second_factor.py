"""Second factors without script: set up, sign in, replay, guessing, recovery, duty and reset."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import select

from portal.models import AuditEvent, SecondFactor
from tests.factories import PASSWORD, SetClock
from tests.portal.people.conftest import PostOffice, log_in
from tests.portal.web.work.conftest import Browser, forms_of, text_of

HOME = "/account/second-factor"


def set_up(browser: Browser, clock: SetClock) -> tuple[pyotp.TOTP, list[str]]:
    """Set an authenticator up; return it with the recovery codes that were shown."""
    browser.submit(HOME, "/totp")
    page = browser.get(HOME)
    secret = re.search(r'id="totp-secret">([A-Z2-7]+)<', page.text)
    assert secret is not None
    totp = pyotp.TOTP(secret[1])
    form = browser.form(HOME, "/totp/confirm")
    shown = browser.send(form, 200, code=totp.at(clock()), name="工作手机")
    codes = re.findall(r"<code>([A-Z2-9]{5}-[A-Z2-9]{5})</code>", shown.text)
    assert len(codes) == 10
    return totp, codes


def half_way(office: PostOffice, role: str = "agency_editor") -> Browser:
    """Sign in with the password alone."""
    client = office.app.test_client()
    answer = log_in(client, office.username(role, "JL-TRA"))
    assert answer.location == "/login/second"
    return Browser(client)


def test_the_code_is_asked_for_after_the_password(post_office: PostOffice, clock: SetClock) -> None:
    browser = post_office.browser("agency_editor")
    totp, _ = set_up(browser, clock)
    clock.advance(seconds=30)
    second = half_way(post_office)
    assert second.client.get("/work").status_code == 302  # not signed in yet
    second.submit("/login/second", "/second", 302, code=totp.at(clock()))
    second.get("/work")
    text = str(post_office.read(lambda s: s.scalars(select(SecondFactor.secret)).one()))
    assert totp.secret not in text  # kept encrypted


def test_the_same_code_is_refused_the_second_time(post_office: PostOffice, clock: SetClock) -> None:
    totp, _ = set_up(post_office.browser("agency_editor"), clock)
    code = totp.at(clock())
    page = half_way(post_office).submit("/login/second", "/second", 401, code=code)
    assert "已使用过" in text_of(page)  # it confirmed the set-up
    clock.advance(seconds=30)
    fresh = totp.at(clock())
    half_way(post_office).submit("/login/second", "/second", 302, code=fresh)
    half_way(post_office).submit("/login/second", "/second", 401, code=fresh)
    earlier = totp.at(clock() - timedelta(seconds=30))
    half_way(post_office).submit("/login/second", "/second", 401, code=earlier)


def test_codes_outside_their_time_are_refused(post_office: PostOffice, clock: SetClock) -> None:
    totp, _ = set_up(post_office.browser("agency_editor"), clock)
    clock.advance(minutes=10)
    for counted, status in ((-2, 401), (2, 401), (1, 302)):
        half_way(post_office).submit(
            "/login/second",
            "/second",
            status,
            code=totp.at(clock() + timedelta(seconds=30 * counted)),
        )


def test_guessing_is_slowed_over_all_sign_ins(post_office: PostOffice, clock: SetClock) -> None:
    totp, _ = set_up(post_office.browser("agency_editor"), clock)
    clock.advance(seconds=60)
    right = totp.at(clock())
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        half_way(post_office).submit("/login/second", "/second", 401, code=wrong)
    page = half_way(post_office).submit("/login/second", "/second", 429, code=right)
    assert int(page.headers["Retry-After"]) > 0
    clock.advance(seconds=60)
    half_way(post_office).submit("/login/second", "/second", 302, code=totp.at(clock()))


def test_a_recovery_code_works_once(post_office: PostOffice, clock: SetClock) -> None:
    browser = post_office.browser("agency_editor")
    _, codes = set_up(browser, clock)
    half_way(post_office).submit("/login/second", "/second", 302, code=codes[0].lower())
    half_way(post_office).submit("/login/second", "/second", 401, code=codes[0])
    page = browser.submit(HOME, "/codes", 200, password=PASSWORD)
    assert "恢复码" in text_of(page)
    half_way(post_office).submit("/login/second", "/second", 401, code=codes[1])
    assert "当前密码不正确" in text_of(browser.submit(HOME, "/codes", 422, password="wrong"))


def test_a_step_of_another_browser_or_of_long_ago_opens_nothing(
    post_office: PostOffice, clock: SetClock
) -> None:
    totp, _ = set_up(post_office.browser("agency_editor"), clock)
    client = post_office.app.test_client()
    assert client.get("/login/second").location == "/login"
    second = half_way(post_office)
    form = second.form("/login/second", "/second")
    clock.advance(minutes=11)
    second.send(form, 401, code=totp.at(clock()))
    assert second.client.get("/work").status_code == 302


def test_setting_up_ends_other_sessions_and_is_recorded(
    post_office: PostOffice, clock: SetClock
) -> None:
    elsewhere = post_office.browser("agency_editor")
    browser = post_office.browser("agency_editor")
    set_up(browser, clock)
    assert elsewhere.client.get("/work").status_code == 302
    browser.get("/work")
    events = post_office.read(lambda s: list(s.scalars(select(AuditEvent.event))))
    assert "add_factor" in events


def test_a_wrong_first_code_sets_nothing_up(post_office: PostOffice) -> None:
    browser = post_office.browser("agency_editor")
    browser.submit(HOME, "/totp")
    page = browser.submit(HOME, "/totp/confirm", 422, code="abc123", name="")
    assert "验证码不正确" in text_of(page)
    client = post_office.app.test_client()
    answer = log_in(client, post_office.username("agency_editor", "JL-TRA"))
    assert answer.location == "/work"


class TestDuty:
    """With STAFF_SECOND_FACTOR nobody of the staff works without one."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"staff_second_factor": True}

    def test_staff_set_one_up_first_and_have_no_role_until_then(
        self, post_office: PostOffice, clock: SetClock
    ) -> None:
        browser = post_office.browser("bureau_admin", "JL-BUR")
        for path in ("/work", "/account", "/notices", "/work/accounts"):
            assert browser.get(path, 302).location == HOME
        token = forms_of(browser.get(HOME))[0].values()["csrf_token"][0]
        made = {"csrf_token": token, "name": "x"}
        assert browser.client.post("/account/tokens", data=made).location == HOME
        set_up(browser, clock)
        browser.get("/work/accounts")

    def test_the_last_one_stays(self, post_office: PostOffice, clock: SetClock) -> None:
        browser = post_office.browser("agency_editor")
        set_up(browser, clock)
        page = browser.submit(HOME, "/remove", 422, password=PASSWORD)
        assert "须保留二次验证" in text_of(page)

    def test_applicants_are_free_of_it(self, post_office: PostOffice) -> None:
        post_office.browser("applicant", "").get("/account")


def test_one_is_removed_with_the_password(post_office: PostOffice, clock: SetClock) -> None:
    browser = post_office.browser("agency_editor")
    set_up(browser, clock)
    assert "当前密码不正确" in text_of(browser.submit(HOME, "/remove", 422, password="no"))
    browser.submit(HOME, "/remove", password=PASSWORD)
    answer = log_in(post_office.app.test_client(), post_office.username("agency_editor", "JL-TRA"))
    assert answer.location == "/work"


def test_an_administrator_helps_who_lost_it_all(post_office: PostOffice, clock: SetClock) -> None:
    browser = post_office.browser("agency_editor")
    set_up(browser, clock)
    admin = post_office.browser("bureau_admin", "JL-BUR")
    account = post_office.account(post_office.username("agency_editor", "JL-TRA"))
    path = f"/work/accounts/{account.id}/reset-factors"
    admin.submit("/work/accounts", path)
    assert browser.client.get("/work").status_code == 302
    answer = log_in(post_office.app.test_client(), account.username)
    assert answer.location == "/work"
    editor = post_office.browser("agency_editor")
    stolen = editor.client.post(path, data={"csrf_token": editor.token()})
    assert stolen.status_code == 403
