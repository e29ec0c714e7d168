"""Registration, forgotten passwords and addresses by mail; one answer for known and unknown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.app import create_app
from portal.models import MailedLink
from portal.platform import Platform
from tests.factories import PASSWORD, SetClock
from tests.mailbox import Mailbox
from tests.portal.people.conftest import NEW_PASSWORD, PostOffice, log_in, token_of
from tests.portal.web.work.conftest import text_of

EMAIL = "li.ming@example.cn"
NAMES = {"username": "Li-Ming", "display_name": "李明"}


def _register(office: PostOffice, email: str = EMAIL) -> str:
    """Ask to register and return the path of the link that arrives."""
    office.visitor().submit("/register", "/register", 200, email=email, terms="yes")
    office.deliver()
    return office.link()


def test_somebody_registers_by_mail_and_signs_in(post_office: PostOffice) -> None:
    link = _register(post_office)
    browser = post_office.visitor()
    assert EMAIL in text_of(browser.get(link))
    browser.submit(link, "/confirm", password=NEW_PASSWORD, again=NEW_PASSWORD, **NAMES)
    assert log_in(browser.client, "li-ming", NEW_PASSWORD).status_code == 302
    account = post_office.account("li-ming")
    assert account.email_verified_at is not None
    assert [m.role for m in account.memberships] == ["applicant"]
    assert not account.identity_verified
    browser.get("/work", 403)


def test_the_answer_is_the_same_whether_the_address_is_known(
    post_office: PostOffice, mailbox: Mailbox
) -> None:
    known = post_office.set_address("agency_editor")

    def answer(email: str) -> str:
        page = post_office.visitor().submit("/register", "/register", 200, email=email, terms="yes")
        return text_of(page)

    assert answer(known) == answer(EMAIL)
    post_office.deliver()
    assert sorted(r[0] for r in mailbox.recipients) == sorted([known, EMAIL])
    to_known = next(m for m in mailbox.mails if m["To"] == known)
    assert "已有账号" in str(to_known["Subject"])
    assert "register/confirm" not in str(to_known.get_content())


def test_a_forgotten_password_has_one_answer_too(post_office: PostOffice, mailbox: Mailbox) -> None:
    username = post_office.username("agency_editor", "JL-TRA")
    post_office.set_address("agency_editor")

    def answer(name: str) -> str:
        page = post_office.visitor().submit("/password/forgotten", "/forgotten", 200, name=name)
        return text_of(page)

    assert answer(username) == answer("nobody-at-all") == answer("nobody@example.cn")
    post_office.deliver()
    assert len(mailbox.mails) == 1


def test_a_new_password_by_mail_ends_every_session(
    post_office: PostOffice, mailbox: Mailbox
) -> None:
    address = post_office.set_address("agency_editor")
    signed_in = post_office.browser("agency_editor")
    for name in (address, post_office.username("agency_editor", "JL-TRA")):
        post_office.visitor().submit("/password/forgotten", "/forgotten", 200, name=name)
    post_office.deliver()
    first, second = post_office.link(0), post_office.link(1)
    browser = post_office.visitor()
    weak = {"password": "aaaaaaaaaaaa", "again": "aaaaaaaaaaaa"}
    assert "过于简单" in text_of(browser.submit(first, "/reset", 422, **weak))
    browser.submit(first, "/reset", password=NEW_PASSWORD, again=NEW_PASSWORD)
    assert signed_in.client.get("/work").status_code == 302
    username = post_office.username("agency_editor", "JL-TRA")
    assert log_in(browser.client, username, PASSWORD).status_code == 401
    assert log_in(browser.client, username, NEW_PASSWORD).status_code == 302
    for used in (first, second):  # the used one, and the other that was asked for
        post_office.visitor().get(used, 410)
    post_office.deliver()
    assert "密码已修改" in str(mailbox.mails[-1]["Subject"])


def test_links_lapse_and_work_once(post_office: PostOffice, clock: SetClock) -> None:
    link = _register(post_office)
    browser = post_office.visitor()
    form = browser.form(link, "/confirm")
    good = {"password": NEW_PASSWORD, "again": NEW_PASSWORD, **NAMES}
    browser.send(form, **good)
    browser.send(form, 410, **{**good, "username": "second"})
    post_office.visitor().get(link, 410)
    late = _register(post_office, "wang@example.cn")
    clock.advance(hours=24, seconds=1)
    assert "链接已失效" in text_of(post_office.visitor().get(late, 410))
    post_office.visitor().get("/register/confirm?token=made-up", 410)
    post_office.visitor().get("/register/confirm", 410)


def test_a_link_opens_nothing_but_what_it_is_for(post_office: PostOffice) -> None:
    token = token_of(_register(post_office))
    for path in ("/password/reset", "/invitation"):
        post_office.visitor().get(f"{path}?token={token}", 410)


def test_every_defect_is_named_at_once_and_the_link_stays_good(post_office: PostOffice) -> None:
    link = _register(post_office)
    browser = post_office.visitor()
    bad = {"username": "x", "display_name": "", "password": "short", "again": "other"}
    page = text_of(browser.submit(link, "/confirm", 422, **bad))
    for words in ("用户名应为", "显示名称应为", "密码至少", "不一致"):
        assert words in page
    taken = {**NAMES, "username": post_office.username("agency_editor", "JL-TRA")}
    again = browser.submit(link, "/confirm", 422, password=NEW_PASSWORD, again="x", **taken)
    assert "已被使用" in text_of(again)
    browser.submit(link, "/confirm", password=NEW_PASSWORD, again=NEW_PASSWORD, **NAMES)


def test_two_links_to_one_mailbox_make_one_account(post_office: PostOffice) -> None:
    first, second = _register(post_office), _register(post_office)
    good = {"password": NEW_PASSWORD, "again": NEW_PASSWORD, "display_name": "李明"}
    post_office.visitor().submit(first, "/confirm", username="one", **good)
    page = post_office.visitor().submit(second, "/confirm", 422, username="two", **good)
    assert "已有账号" in text_of(page)


def test_nobody_floods_a_mailbox_or_asks_without_end(
    post_office: PostOffice, mailbox: Mailbox, clock: SetClock
) -> None:
    form = post_office.visitor().form("/register", "/register")
    browser = post_office.visitor()
    browser.get("/register")
    form = browser.form("/register", "/register")
    for _ in range(20):
        browser.send(form, 200, email=EMAIL, terms="yes")
    browser.send(form, 429, email=EMAIL, terms="yes")
    post_office.deliver()
    assert len(mailbox.mails) == 3
    clock.advance(hours=1)
    browser.send(form, 200, email=EMAIL, terms="yes")
    post_office.deliver()
    assert len(mailbox.mails) == 4


@pytest.mark.parametrize("email", ["no address", "a@b", "a@example.cn\nBcc: b@example.cn"])
def test_what_is_no_address_is_said_so(post_office: PostOffice, email: str) -> None:
    page = post_office.visitor().submit("/register", "/register", 422, email=email, terms="yes")
    assert "请填写一个邮箱地址" in text_of(page)
    page = post_office.visitor().submit("/register", "/register", 422, email=EMAIL, terms=None)
    assert "同意" in text_of(page)


def test_links_are_kept_as_hashes_and_tokens_in_no_job(post_office: PostOffice) -> None:
    token = token_of(_register(post_office))
    dump = post_office.read(
        lambda s: "\n".join(str(row) for row in s.connection().connection.iterdump())
    )
    assert token not in dump
    assert post_office.read(lambda s: s.get(MailedLink, 1)) is not None


def test_an_address_is_the_accounts_once_its_link_was_opened(
    post_office: PostOffice, mailbox: Mailbox
) -> None:
    browser, other = post_office.browser("agency_editor"), post_office.browser("agency_reviewer")
    wrong = {"email": EMAIL, "email_password": "wrong"}
    assert "当前密码不正确" in text_of(browser.submit("/account", "/email", 422, **wrong))
    browser.submit("/account", "/email", email=EMAIL, email_password=PASSWORD)
    username = post_office.username("agency_editor", "JL-TRA")
    assert post_office.account(username).email_verified_at is None
    post_office.deliver()
    link = post_office.link()
    foreign = other.submit(link, "/confirm", 422)
    assert "另一个账号" in text_of(foreign)
    browser.submit(link, "/confirm")
    assert post_office.account(username).email == EMAIL
    assert EMAIL in text_of(browser.get("/account"))
    browser.submit("/account", "/email", email="new@example.cn", email_password=PASSWORD)
    post_office.deliver()
    browser.submit(post_office.link(), "/confirm")
    post_office.deliver()
    assert mailbox.mails[-1]["To"] == EMAIL  # the old address is told
    assert "已更换" in str(mailbox.mails[-1]["Subject"])


def test_without_mail_nobody_registers(make_platform: Callable[..., Platform]) -> None:
    client = create_app(make_platform("sqlite", name="quiet")).test_client()
    assert client.get("/register").status_code == 404
    assert "/register" not in client.get("/login").text


def test_sessions_are_listed_and_ended(post_office: PostOffice) -> None:
    here, there = post_office.browser("agency_editor"), post_office.browser("agency_editor")
    third = post_office.browser("agency_editor")
    stranger = post_office.browser("agency_reviewer")
    assert text_of(here.get("/account")).count("当前设备") == 1
    form = there.form("/account", "/end")  # the newest but the own one: the third
    stranger_token = stranger.token()
    stolen = stranger.client.post(form.action, data={"csrf_token": stranger_token})
    assert stolen.status_code == 404
    there.send(form)
    assert third.client.get("/work").status_code == 302
    here.submit("/account", "/end-others")
    assert there.client.get("/work").status_code == 302
    assert here.client.get("/work").status_code == 200
