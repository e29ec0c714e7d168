"""Accounts, the own account, messages, the audit page and harvest sources."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, text

from portal.models import Account, AuditEvent
from portal.models.harvest import HarvestItem, HarvestRun, HarvestSource
from portal.models.organisation import get_organisation
from portal.services.accounts import actor_of_token
from tests.factories import NOW, PASSWORD
from tests.portal.web.work.conftest import Browser, Office, forms_of, text_of

NEW = {
    "username": "new-editor",
    "display_name": "新编目员",
    "role": "agency_editor",
    "organisation": "JL-HEA",
}


def sign_in(office: Office, username: str, password: str) -> int:
    client = office.app.test_client()
    token = next(
        v for f in forms_of(client.get("/login")) for n, v in f.fields if n == "csrf_token"
    )
    data = {"username": username, "password": password, "csrf_token": token}
    return client.post("/login", data=data).status_code


def test_a_new_account_gets_a_password_that_is_shown_once(admin: Browser, office: Office) -> None:
    response = admin.submit("/work/accounts", "/accounts", 200, **NEW)
    password = re.search(r'id="new-password">([^<]+)<', response.text)[1]
    assert sign_in(office, "new-editor", password) == 302
    assert password not in admin.get("/work/accounts").text
    assert "新建账号" in text_of(admin.get("/work/audit?flow=account"))
    again = admin.submit("/work/accounts", "/accounts", 422, **NEW)
    assert "已被使用" in text_of(again)
    assert "新编目员" in again.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"role": "bureau_reviewer"}, "不能设置角色"),
        ({"organisation": ""}, "须指定所属机构"),
        ({"role": "king"}, "没有名为"),
        ({"username": " "}, "用户名应为"),
        ({"username": "x" * 61}, "用户名应为"),
    ],
)
def test_an_account_that_does_not_fit_is_refused(
    admin: Browser, changes: dict[str, str], message: str
) -> None:
    response = admin.submit("/work/accounts", "/accounts", 422, **{**NEW, **changes})
    assert message in text_of(response)


def test_a_disabled_account_is_out_at_once(admin: Browser, editor: Browser, office: Office) -> None:
    username = office.username("agency_editor", "JL-TRA")
    account = office.read(lambda s: s.scalars(select(Account).filter_by(username=username)).one())
    form = admin.form("/work/accounts", f"/{account.id}/state")
    admin.send(form)
    admin.send(form)
    assert editor.client.get("/work").status_code == 302
    assert sign_in(office, username, PASSWORD) == 401
    admin.submit("/work/accounts", f"/{account.id}/state")
    assert sign_in(office, username, PASSWORD) == 302


def test_nobody_disables_the_own_account(admin: Browser, office: Office) -> None:
    username = office.username("bureau_admin", "JL-BUR")
    account = office.read(lambda s: s.scalars(select(Account).filter_by(username=username)).one())
    data = {"csrf_token": admin.token(), "disabled": "yes"}
    response = admin.client.post(f"/work/accounts/{account.id}/state", data=data)
    assert response.status_code == 422
    assert "不能停用自己的账号" in text_of(response)


@pytest.mark.parametrize("path", ["/work/accounts", "/work/sources"])
def test_administration_is_for_administrators(bureau: Browser, path: str) -> None:
    bureau.get(path, 403)
    assert path not in bureau.get("/work").text
    data = {"csrf_token": bureau.token(), **NEW}
    assert bureau.client.post("/work/accounts", data=data).status_code == 403


def test_the_own_password(editor: Browser, office: Office) -> None:
    form = editor.form("/account", "/password")
    wrong = {"current": "wrong", "password": "a new long one", "again": "a new long one"}
    assert "当前密码不正确" in text_of(editor.send(form, 422, **wrong))
    right = {**wrong, "current": PASSWORD}
    assert "至少10位" in text_of(editor.send(form, 422, **{**right, "password": "x", "again": "x"}))
    assert "不一致" in text_of(editor.send(form, 422, **{**right, "again": "other long one"}))
    editor.send(form, **right)
    assert editor.client.get("/work").status_code == 302  # every session has ended
    username = office.username("agency_editor", "JL-TRA")
    assert sign_in(office, username, "a new long one") == 302


def test_tokens_are_shown_once_and_revoked(editor: Browser, office: Office) -> None:
    response = editor.submit("/account", "/tokens", 200, name="定时上传")
    token = re.search(r'id="new-token"[^>]*>([^<]+)<', response.text)[1]
    assert office.read(lambda s: actor_of_token(s, token)).account_id is not None
    page = editor.get("/account")
    assert token not in page.text
    assert "定时上传" in page.text
    form = editor.form("/account", "/revoke")
    other = office.browser("agency_reviewer")
    stolen = {"csrf_token": other.token()}
    assert other.client.post(form.action, data=stolen).status_code == 404
    editor.send(form)
    editor.send(form)
    assert office.read(lambda s: actor_of_token(s, token)).is_anonymous
    assert "请填写" in text_of(editor.submit("/account", "/tokens", 422, name=" "))


def test_messages_are_read(bureau: Browser, office: Office) -> None:
    office.made(lambda catalogue, people: catalogue.draft())
    department = office.browser("responsible_dept")
    path = "/work/versions/1/edit"
    department.submit(path, "/edit", action="submit")
    page = text_of(bureau.get("/notices"))
    assert "1 条未读" in page
    assert "提交审核" in page
    bureau.submit("/notices", "/read")
    assert "没有未读消息" in text_of(bureau.get("/notices"))
    assert bureau.get("/work/notices", 302).location == "/notices"


def test_the_audit_page_filters_and_checks_the_chain(office: Office) -> None:
    office.made(lambda catalogue, people: catalogue.submitted())
    auditor = office.browser("auditor", "JL-BUR")
    text_all = text_of(auditor.get("/work/audit"))
    assert "提交审核" in text_all
    found = text_of(auditor.get("/work/audit?event=submit&since=2026-11-24&until=2026-11-24"))
    assert "共 1 条" in found
    assert "共 0 条" in text_of(auditor.get("/work/audit?since=2026-11-25"))
    assert "记录完整" in text_of(auditor.get("/work/audit?check=1"))
    auditor.get("/work/audit?since=昨天", 422)
    auditor.get("/work/audit?until=9999-12-31", 422)
    auditor.get("/work/audit?since=0001-01-01", 422)


def test_the_audit_page_shows_a_broken_chain(office: Office) -> None:
    from portal.services.audit import seal_pending
    from portal.services.audit_anchor import FileAnchor

    office.made(lambda catalogue, people: catalogue.submitted())
    platform = office.platform
    anchor = FileAnchor(platform.settings.home / "audit-head.json")
    with platform.database.writing() as session:
        seal_pending(session, platform.clock, anchor)
    with platform.database.writing() as session:
        for name in session.scalars(
            text(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_event'"
            )
        ).all():
            session.execute(text(f"DROP TRIGGER {name}"))
        session.execute(text("UPDATE audit_event SET reason = '改过' WHERE id = 1"))
    auditor = office.browser("auditor", "JL-BUR")
    assert "校验发现 1 处异常" in text_of(auditor.get("/work/audit?check=1"))


def test_agencies_do_not_read_the_audit_trail(editor: Browser) -> None:
    assert "校验" not in text_of(editor.get("/work/audit", 403))
    assert "/work/audit" not in editor.get("/work").text


def test_removals_wait_for_the_administrator(admin: Browser, office: Office) -> None:
    with office.platform.database.writing() as session:
        source = HarvestSource(
            name="city",
            kind="ckan",
            url="https://data.example.cn/",
            organisation_id=get_organisation(session, "JL-TRA").id,
            created_at=NOW,
        )
        session.add(source)
        session.flush()
        run = HarvestRun(
            source_id=source.id, state="waiting", started_at=NOW, counts={"missing": 1}
        )
        session.add(run)
        session.flush()
        session.add(
            HarvestItem(run_id=run.id, remote_id="x", state="missing", record={"title": "将撤下的"})
        )
    assert "采集撤下待确认" in text_of(admin.get("/work"))
    assert "查看并决定" in text_of(admin.get("/work/sources"))
    assert "将撤下的" in text_of(admin.get(f"/work/sources/runs/{run.id}?state=missing"))
    admin.submit(f"/work/sources/runs/{run.id}", "/confirm")
    assert office.read(lambda s: s.get(HarvestRun, 1).state) == "writing"
    events = office.read(lambda s: list(s.scalars(select(AuditEvent.flow))))
    assert any("harvest" in flow for flow in events)
