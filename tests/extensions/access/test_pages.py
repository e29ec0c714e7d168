"""The way from application to key in the pages, as developer, clerk and bureau."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from extensions.access.models import AccessApplication
from extensions.access.rules import UNDERTAKINGS
from extensions.access.services import timers
from portal.app import create_app
from portal.jobs.worker import Worker
from portal.models.account import Account
from portal.models.entry import CatalogueEntry
from portal.platform import Platform
from tests.extensions.access.conftest import ASKED, REQUEST, Grants
from tests.factories import PASSWORD, Catalogue, People, SetClock


@dataclass
class Site:
    platform: Platform
    app: Flask
    slug: str
    names: dict[str, str]

    def signed_in(self, who: str) -> Visitor:
        client = self.app.test_client()
        visitor = Visitor(client)
        page = client.get("/login").get_data(as_text=True)
        answer = client.post(
            "/login",
            data={
                "username": self.names[who],
                "password": PASSWORD,
                "csrf_token": _hidden(page, "csrf_token"),
            },
        )
        assert answer.status_code == 302, answer.get_data(as_text=True)[:400]
        return visitor


@dataclass
class Visitor:
    client: FlaskClient

    def page(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:600])
        return str(answer.get_data(as_text=True))

    def send(self, shown: str, path: str, **fields: Any) -> Any:
        """Post a form with the hidden inputs of the page that showed it."""
        hidden = {name: _hidden(shown, name) for name in ("csrf_token", "seen", "key")}
        return self.client.post(path, data={**hidden, **fields})


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    return found.group(1) if found else ""


@pytest.fixture
def site(make_platform: Callable[..., Platform]) -> Site:
    return make_site(make_platform("sqlite"))


def make_site(platform: Platform) -> Site:
    """Commit an open interface and everybody's accounts, and serve them."""
    with platform.database.writing() as session:
        people = People(platform, session)
        grants = Grants(platform, session, people, Catalogue(platform, session, people))
        interface = grants.interface()
        slug = session.get(CatalogueEntry, interface.entry_id).slug
        actors = {
            "developer": people.applicant,
            "other": people.actor("applicant", number=2),
            "clerk": people.agency_reviewer,
            "stranger": people.stranger,
            "bureau": people.bureau,
            "editor": people.editor,
        }
        names = {k: session.get(Account, a.account_id).username for k, a in actors.items()}
    Worker(platform).run_until_idle()
    return Site(platform, create_app(platform), slug, names)


FORM = {
    "purpose": REQUEST.purpose,
    "scenario": REQUEST.scenario,
    "fields": list(ASKED),
    "volume_a_day": "500",
    "term_days": "180",
    "capability": REQUEST.capability,
    "storage": REQUEST.storage,
    "reason.duty_phone": "核对站点值班安排",
    "undertakings": list(UNDERTAKINGS),
    "action": "submit",
}


def _apply(site: Site, developer: Visitor, **changes: Any) -> Any:
    path = f"/dataset/{site.slug}/apply"
    return developer.send(developer.page(path), path, **{**FORM, **changes})


def test_from_application_to_a_revoked_call(site: Site) -> None:
    developer, clerk = site.signed_in("developer"), site.signed_in("clerk")
    assert "申请接口" in developer.page(f"/dataset/{site.slug}")
    applied = _apply(site, developer)
    assert applied.status_code == 303
    mine = applied.headers["Location"]
    theirs = f"/work{mine}"
    assert "还剩 2 个工作日" in developer.page(mine)
    assert "2026年11月26日" in developer.page(mine)
    assert "站点" in clerk.page("/work")
    shown = clerk.page(theirs)
    assert clerk.send(shown, f"{theirs}/accept").status_code == 303
    shown = clerk.page(theirs)
    assert "还剩 10 个工作日" in shown
    terms = {"fields": ["stop_code", "stop_name"], "quota_day": "50", "per_minute": "20"}
    done = clerk.send(shown, f"{theirs}/approve", term_days="90", conditions="注明来源", **terms)
    assert done.status_code == 303
    assert "还剩 20 个工作日" in developer.page(mine)
    shown = developer.page(f"{mine}/agreement")
    assert "注明来源" in shown
    refused = developer.send(
        shown, f"{mine}/agreement", agreement_hash=_hidden(shown, "agreement_hash")
    )
    assert refused.status_code == 422
    shown = refused.get_data(as_text=True)
    answer = developer.send(
        shown, f"{mine}/agreement", accepted="yes", agreement_hash=_hidden(shown, "agreement_hash")
    )
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    secret = re.search(r"xyk_[\w-]+", answer.get_data(as_text=True)).group()
    assert secret not in developer.page(mine)
    api = site.app.test_client()
    headers = {"Authorization": f"Bearer {secret}"}
    rows = api.get("/data/v1/bus-stops", headers=headers).get_json()["data"]
    assert set(rows[0]) == {"stop_code", "stop_name"}
    assert "共调用 1 次" in developer.page("/developer")
    done = clerk.send(clerk.page(theirs), f"{theirs}/revoke", revoke_reason="违反协议")
    assert done.status_code == 303
    assert api.get("/data/v1/bus-stops", headers=headers).status_code == 403
    assert "违反协议" in developer.page(mine)


def test_a_refused_form_keeps_everything_typed(site: Site) -> None:
    developer = site.signed_in("developer")
    answer = _apply(site, developer, purpose="短", volume_a_day="很多", fields=["stop_name"])
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422  # 409 is for what moved meanwhile
    assert 'href="#f-purpose"' in page
    assert REQUEST.capability in page
    assert "已保存为草稿" in page
    kept = developer.page("/applications/1/edit")
    assert REQUEST.scenario in kept
    assert re.search(r'value="stop_name"\s+checked', kept)
    assert not re.search(r'value="stop_code"\s+checked', kept)


def test_script_in_a_form_is_text(site: Site) -> None:
    developer = site.signed_in("developer")
    mine = _apply(site, developer, purpose="<script>alert(1)</script> 研究用途").headers["Location"]
    page = site.signed_in("clerk").page(f"/work{mine}")
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_one_correction_and_its_answer(site: Site) -> None:
    developer, clerk = site.signed_in("developer"), site.signed_in("clerk")
    mine = _apply(site, developer).headers["Location"]
    theirs = f"/work{mine}"
    empty = clerk.send(
        clerk.page(theirs), f"{theirs}/correction", defect_field=[""], defect_text=[""]
    )
    assert empty.status_code == 422
    sent = clerk.send(
        clerk.page(theirs),
        f"{theirs}/correction",
        defect_field=["purpose", ""],
        defect_text=["请写明研究项目", "请说明保存期限"],
    )
    assert sent.status_code == 303
    page = developer.page(f"{mine}/edit")
    assert "请写明研究项目" in page
    assert "还剩 15 个工作日" in developer.page(mine)
    half = developer.send(page, f"{mine}/edit", **{**FORM, "answers.0": "已写明"})
    assert half.status_code == 422
    assert "已写明" in half.get_data(as_text=True)
    both = {**FORM, "answers.0": "已写明", "answers.1": "保存一年"}
    again = developer.send(half.get_data(as_text=True), f"{mine}/edit", **both)
    assert again.status_code == 303
    shown = clerk.page(theirs)
    assert "保存一年" in shown
    assert "发出补正通知" not in shown


def test_a_refusal_names_ground_and_way_to_complain(site: Site) -> None:
    developer, clerk = site.signed_in("developer"), site.signed_in("clerk")
    mine = _apply(site, developer).headers["Location"]
    theirs = f"/work{mine}"
    clerk.send(clerk.page(theirs), f"{theirs}/accept")
    missing = clerk.send(clerk.page(theirs), f"{theirs}/reject", ground="", reason="能力不足的理由")
    assert missing.status_code == 422
    assert "能力不足的理由" in missing.get_data(as_text=True)
    clerk.send(clerk.page(theirs), f"{theirs}/reject", ground="capability", reason="没有加密存储")
    page = developer.page(mine)
    assert "没有加密存储" in page
    assert "投诉" in page


def test_a_double_click_and_a_stale_page(site: Site) -> None:
    developer, clerk = site.signed_in("developer"), site.signed_in("clerk")
    mine = _apply(site, developer).headers["Location"]
    theirs = f"/work{mine}"
    first, second = clerk.page(theirs), clerk.page(theirs)
    assert clerk.send(first, f"{theirs}/accept").status_code == 303
    assert clerk.send(first, f"{theirs}/accept").status_code == 303
    assert clerk.send(second, f"{theirs}/accept").status_code == 409


def test_only_the_parties_read_an_application(site: Site) -> None:
    mine = _apply(site, site.signed_in("developer")).headers["Location"]
    for who in ("other", "stranger"):
        visitor = site.signed_in(who)
        visitor.page(mine, 403)
        visitor.page(f"/work{mine}", 403)
        visitor.page(f"{mine}/edit", 403)
        visitor.page(f"{mine}/agreement", 403)
        shown = visitor.page("/developer")
        for event in ("withdraw", "rotate", "renew", "agreement"):
            assert visitor.send(shown, f"{mine}/{event}", key="k" * 9).status_code == 403
    assert site.signed_in("bureau").page(f"/work{mine}")
    assert site.app.test_client().get(mine).status_code == 302


def test_a_stranger_decides_nothing(site: Site) -> None:
    developer = site.signed_in("developer")
    theirs = f"/work{_apply(site, developer).headers['Location']}"
    stranger = site.signed_in("stranger")
    shown = stranger.page("/developer")
    for event in ("accept", "approve", "reject", "extend", "suspend", "revoke", "correction"):
        answer = stranger.send(shown, f"{theirs}/{event}", seen="2", key="k" * 9)
        assert answer.status_code == 403, event


def test_an_unverified_account_is_told_so(site: Site) -> None:
    with site.platform.database.writing() as session:
        session.query(Account).filter_by(
            username=site.names["developer"]
        ).one().identity_verified = False
    developer = site.signed_in("developer")
    assert "实名认证" in developer.page(f"/dataset/{site.slug}/apply")
    assert _apply(site, developer).status_code == 409


def test_a_draft_is_kept_and_withdrawn(site: Site) -> None:
    developer = site.signed_in("developer")
    mine = _apply(site, developer, action="save", purpose="").headers["Location"]
    page = developer.page(mine)
    assert "草稿" in page
    site.signed_in("clerk").page(f"/work{mine}", 403)
    assert developer.send(page, f"{mine}/withdraw").status_code == 303
    assert "已撤回" in developer.page(mine)


def test_the_agency_registers_an_interface_by_form(site: Site) -> None:
    editor = site.signed_in("editor")
    path = f"/work/entries/{site.slug}/interfaces"
    page = editor.page(path)
    assert 'value="keeper"' not in page
    values = {
        "fields": ["stop_code", "keeper"],
        "daily_quota": "0",
        "per_minute": "60",
        "name": "另一接口",
    }
    bad = editor.send(page, path, api_code="Bad_Code", **values)
    text = bad.get_data(as_text=True)
    assert bad.status_code == 422
    assert "另一接口" in text
    assert all(part in text for part in ("接口代码须", "keeper", "每日调用上限"))
    values |= {"fields": ["stop_code"], "daily_quota": "500"}
    assert editor.send(page, path, api_code="second-one", **values).status_code == 303
    assert "second-one" in editor.page(path)
    assert site.signed_in("stranger").client.get(path).status_code == 403


def test_the_register_lists_for_agency_and_bureau(site: Site) -> None:
    _apply(site, site.signed_in("developer"))
    assert "SQ00000001" in site.signed_in("clerk").page("/work/applications")
    assert "SQ00000001" in site.signed_in("bureau").page("/work/applications?state=submitted")
    assert "SQ00000001" not in site.signed_in("stranger").page("/work/applications")


def test_public_pages_need_no_account(site: Site) -> None:
    visitor = Visitor(site.app.test_client())
    assert "五分钟上手" in visitor.page("/developer")
    assert "/data/v1/bus-stops" in visitor.page(f"/dataset/{site.slug}")
    assert visitor.client.get(f"/dataset/{site.slug}/apply").status_code == 302


def test_timers_run_as_a_job(site: Site, clock: SetClock) -> None:
    developer, clerk = site.signed_in("developer"), site.signed_in("clerk")
    mine = _apply(site, developer).headers["Location"]
    clerk.send(
        clerk.page(f"/work{mine}"),
        f"/work{mine}/correction",
        defect_field=[""],
        defect_text=["补正"],
    )
    timers.run_timers(site.platform, {})
    clock.advance(days=30)
    timers.run_timers(site.platform, {})
    with site.platform.database.reading() as session:
        assert session.get(AccessApplication, 1).state == "lapsed"
