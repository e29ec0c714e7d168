"""What is kept on somebody: all of it told, their own erased, and what the law keeps named."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import String, cast, inspect, select

from portal.db import Base
from portal.models import Account, AuditEvent, Download
from portal.models.message import OutgoingMessage
from portal.services import personal_data
from portal.services.accounts import create_token
from portal.services.outgoing import write_mail
from tests.factories import PASSWORD, Catalogue, People
from tests.portal.people.conftest import PostOffice, log_in
from tests.portal.web.work.conftest import Browser, text_of

NAME, EMAIL, PHONE = "王小明的真实姓名", "wang.xiaoming@example.cn", "13800001111"


def _somebody(office: PostOffice) -> str:
    """An applicant of whom much is kept; returns the user name."""
    username = office.username("applicant", "")

    def make(catalogue: Catalogue, _people: People) -> None:
        session, clock = catalogue._session, office.platform.clock
        account = session.scalars(select(Account).where(Account.username == username)).one()
        account.display_name, account.email, account.phone = NAME, EMAIL, PHONE
        account.email_verified_at, account.applicant_name = clock(), NAME
        create_token(session, clock, account, "定时任务")
        file = catalogue.file(catalogue.opened().entry)
        session.add(
            Download(
                entry_id=file.entry_id,
                distribution_id=file.id,
                day=clock().date(),
                visitor=f"account:{account.id}",
                form="csv",
            )
        )
        given = {"kind": "x", "address": EMAIL, "subject": NAME, "body": "b"}
        write_mail(session, clock, account_id=account.id, **given)

    office.made(make)
    return username


def _export(browser: Browser, password: str = PASSWORD) -> dict[str, Any]:
    answer = browser.submit("/account/data", "/export", 200, password=password)
    assert "attachment" in answer.headers["Content-Disposition"]
    found = json.loads(answer.text)
    assert isinstance(found, dict)
    return found


def test_the_export_has_all_of_it_and_no_secret(post_office: PostOffice) -> None:
    username = _somebody(post_office)
    browser = post_office.browser("applicant", "")
    found = _export(browser)
    assert found["account"]["display_name"] == NAME
    assert found["account"]["username"] == username
    records = found["records"]
    assert records["api_token.account_id"]["rows"][0]["name"] == "定时任务"
    assert records["login_session.account_id"]["rows"]
    assert records["membership.account_id"]["rows"][0]["role"] == "applicant"
    assert found["downloads"]["rows"][0]["form"] == "csv"
    text = json.dumps(found)
    account = post_office.account(username)
    assert account.password_hash not in text
    for word in ("token_hash", "password_hash", '"secret"'):
        assert word not in text
    assert "export" in [row["event"] for row in _export(browser)["audit"]["rows"]]
    refused = browser.submit("/account/data", "/export", 422, password="wrong")
    assert "当前密码不正确" in text_of(refused)


def test_staff_find_what_they_edited_and_decided(post_office: PostOffice) -> None:
    editor = post_office.browser("agency_editor")
    post_office.made(lambda catalogue, _people: catalogue.published())
    form = editor.form("/work/entries/new", "/work/entries/new")
    editor.send(form, 303, title="全省公交站点")
    found = _export(editor)
    assert [row["title"] for row in found["edited"]["rows"]] == ["全省公交站点"]
    assert "create" in [row["event"] for row in found["audit"]["rows"]]


def test_every_reference_to_an_account_has_a_rule(post_office: PostOffice) -> None:
    def look(session: Any) -> list[personal_data.Holding]:
        return personal_data.holdings(session)

    found = post_office.read(look)
    referring = {
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if any(key.column.table.name == "account" for key in column.foreign_keys)
    }
    present = set(post_office.read(lambda s: inspect(s.connection()).get_table_names()))
    assert {(h.table.name, h.column.name) for h in found} == {
        pair for pair in referring if pair[0] in present
    }
    erased = {h.table.name for h in found if h.is_erased}
    for own in ("login_session", "api_token", "second_factor", "notice", "entry_follow"):
        assert own in erased
    for holding in found:
        if not holding.is_erased:
            assert holding.reason.endswith("。")
            decides = holding.column.name.endswith("_by")
            assert (holding.reason == personal_data.DUTY) == (
                decides and holding.column.name != "accepted_by"
            ), (holding.table.name, holding.column.name)


def test_after_the_erasure_nothing_of_them_is_found(post_office: PostOffice) -> None:
    username = _somebody(post_office)
    browser = post_office.browser("applicant", "")
    page = text_of(browser.get("/account/data"))
    assert "办理日志" in page
    form = browser.form("/account/data", "/erase")
    assert "请输入您的用户名" in text_of(browser.send(form, 422, username="x", password=PASSWORD))
    assert "当前密码不正确" in text_of(browser.send(form, 422, username=username, password="no"))
    browser.send(form, username=username, password=PASSWORD)
    assert browser.client.get("/account").status_code == 302
    assert log_in(post_office.app.test_client(), username).status_code == 401

    def search(session: Any) -> list[tuple[str, str]]:
        found = []
        present = set(inspect(session.connection()).get_table_names())
        for table in Base.metadata.sorted_tables:
            if table.name not in present:
                continue
            for column in table.columns:
                text = cast(column, String)
                for word in (NAME, EMAIL, PHONE, username):
                    if session.execute(select(column).where(text.contains(word)).limit(1)).first():
                        found.append((table.name, column.name))
        return found

    assert post_office.read(search) == []
    account = post_office.read(
        lambda s: s.scalars(select(Account).where(Account.erased_at.is_not(None))).one()
    )
    assert account.display_name == "已注销用户"

    def left(session: Any) -> list[str]:
        return [
            holding.table.name
            for holding in personal_data.holdings(session)
            if holding.is_erased
            and session.execute(select(holding.column).where(holding.column == account.id)).first()
        ]

    assert post_office.read(left) == []
    events = post_office.read(lambda s: list(s.scalars(select(AuditEvent.event))))
    assert "erase" in events
    assert post_office.read(lambda s: s.scalars(select(OutgoingMessage)).all()) == []
    visitors = post_office.read(lambda s: list(s.scalars(select(Download.visitor))))
    assert all(not visitor.startswith("account:") for visitor in visitors)


def test_who_holds_a_role_leaves_first(post_office: PostOffice) -> None:
    browser = post_office.browser("agency_editor")
    username = post_office.username("agency_editor", "JL-TRA")
    page = browser.submit("/account/data", "/erase", 422, username=username, password=PASSWORD)
    assert "请先由本单位管理员办理离任" in text_of(page)
