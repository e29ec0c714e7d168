"""Several secrets at once with ends of their own, the use report, the agreement as a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from extensions.access.models.key import list_keys
from extensions.access.models.use_report import list_reports
from extensions.access.rules import MAX_KEYS
from extensions.participation.models.reuse import Reuse
from portal.clock import local_date
from portal.errors import GuardRefused, Invalid
from portal.platform import Platform
from tests.extensions.access.conftest import Grants, Served
from tests.extensions.access.test_flow import REPORT
from tests.extensions.access.test_pages import Site, _apply, make_site
from tests.factories import SetClock

PUBLIC = {
    "title": "吉林换乘图",
    "kind": "app",
    "url": "https://example.org/map",
    "description": "按站点客流画出的换乘热力图，每周更新一次。",
}


@pytest.fixture
def database_kind() -> str:
    """Nothing here differs between databases."""
    return "sqlite"


@pytest.fixture
def served(make_platform: Callable[..., Platform], serve: Callable[..., Served]) -> Served:
    return serve(make_platform("sqlite"))


def test_several_secrets_work_at_once_and_each_ends_by_itself(
    served: Served, clock: SetClock
) -> None:
    tomorrow = local_date(clock()) + timedelta(days=1)
    second = served.change(
        lambda s, a: s.add_key(served.applicant, a, name="测试环境", expires_on=tomorrow)
    )
    third = served.change(lambda s, a: s.add_key(served.applicant, a, name="备用"))
    for secret in (served.secret, second.secret, third.secret):
        assert served.get("/count", secret=secret).status_code == 200
    served.change(lambda s, a: s.end_key(served.applicant, a, key_id=third.key.id))
    assert served.get("/count", secret=third.secret).status_code == 403
    clock.advance(days=2)
    ended = served.get("/count", secret=second.secret)
    assert (ended.status_code, ended.get_json(force=True)["code"]) == (403, "key_replaced")
    assert served.get("/count").status_code == 200


def test_one_of_several_is_rotated_with_an_overlap(served: Served, clock: SetClock) -> None:
    second = served.change(lambda s, a: s.add_key(served.applicant, a, name="测试环境"))
    new = served.change(
        lambda s, a: s.rotate_key(
            served.applicant, a, overlap_hours=2, key_id=second.key.id
        )
    )  # fmt: skip
    assert new.key.name == "测试环境"
    for secret in (served.secret, second.secret, new.secret):
        assert served.get("/count", secret=secret).status_code == 200
    clock.advance(hours=3)
    assert served.get("/count", secret=second.secret).status_code == 403
    assert served.get("/count").status_code == 200
    assert served.get("/count", secret=new.secret).status_code == 200


def test_no_more_than_five_at_once_and_names_are_told_apart(grants: Grants) -> None:
    application = grants.active()

    def add(name: str) -> None:
        grants.applications.add_key(grants.applicant, application, name=name)

    for number in range(1, MAX_KEYS):
        add(f"程序{number}")
    with pytest.raises(GuardRefused):
        add("再多一个")
    key = list_keys(grants.session, application.id)[0]
    grants.applications.end_key(grants.applicant, application, key_id=key.id)
    with pytest.raises(GuardRefused):
        add("程序1")
    add("程序9")


def test_a_foreign_key_is_not_ended(grants: Grants) -> None:
    application = grants.active()
    with pytest.raises(GuardRefused):
        grants.applications.end_key(grants.applicant, application, key_id=10**6)
    with pytest.raises(GuardRefused):
        grants.applications.rotate_key(grants.applicant, application, key_id=10**6)


def test_the_public_part_of_a_report_becomes_an_item_of_the_gallery(grants: Grants) -> None:
    application = grants.active()
    report = replace(REPORT, public=PUBLIC)
    for _ in range(2):  # a double click
        grants.applications.report_use(grants.applicant, application, report, key="report-1")
    assert len(list_reports(grants.session, application.id)) == 1
    reuses = grants.session.scalars(select(Reuse)).all()
    assert [(one.title, one.url, one.review) for one in reuses] == [
        (PUBLIC["title"], PUBLIC["url"], "waiting")
    ]
    assert [source.entry_id for source in reuses[0].sources] == [application.entry_id]


def test_a_report_without_a_public_part_stays_with_the_agency(grants: Grants) -> None:
    application = grants.active()
    grants.applications.report_use(grants.applicant, application, REPORT)
    assert grants.session.scalars(select(Reuse)).all() == []
    bad = replace(REPORT, public={**PUBLIC, "url": "javascript:alert(1)"})
    with pytest.raises((GuardRefused, Invalid)):
        grants.applications.report_use(grants.applicant, application, bad)


@pytest.fixture
def site(make_platform: Callable[..., Platform]) -> Site:
    return make_site(make_platform("sqlite"))


def granted(site: Site) -> tuple[Any, str]:
    """Bring an application to its key by the pages; return the developer and its address."""
    developer, clerk = site.signed_in("developer"), site.signed_in("clerk")
    mine = _apply(site, developer).headers["Location"]
    clerk.send(clerk.page(f"/work{mine}"), f"/work{mine}/accept")
    terms = {"fields": ["stop_code"], "quota_day": "9", "per_minute": "9", "term_days": "20"}
    answer = clerk.send(clerk.page(f"/work{mine}"), f"/work{mine}/approve", **terms)
    assert answer.status_code == 303, answer.text[:300]
    page = developer.page(f"{mine}/agreement")
    digest = page.partition('name="agreement_hash" value="')[2][:64]
    signed = developer.send(page, f"{mine}/agreement", accepted="yes", agreement_hash=digest)
    assert signed.status_code == 200
    return developer, mine


def test_keys_report_and_file_by_the_pages(site: Site) -> None:
    developer, mine = granted(site)
    added = developer.send(developer.page(mine), f"{mine}/keys", key_name="测试环境")
    assert "xyk_" in added.text
    assert added.headers["Cache-Control"] == "no-store"
    again = developer.send(developer.page(mine), f"{mine}/keys", key_name="测试环境")
    assert again.status_code == 422
    assert "没有用过的名称" in again.text
    early = developer.send(developer.page(mine), f"{mine}/renew")
    assert "使用报告" in early.text
    page = developer.page(mine)
    sent = developer.send(page, f"{mine}/report", public="yes", result=REPORT.result, **PUBLIC)
    assert sent.status_code == 303, sent.text[:300]
    assert developer.send(developer.page(mine), f"{mine}/renew").status_code == 303
    file = developer.client.get(f"{mine}/agreement.pdf")
    assert file.data.startswith(b"%PDF-")
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert site.signed_in("clerk").client.get(f"{mine}/agreement.pdf").data == file.data
    assert site.signed_in("stranger").client.get(f"{mine}/agreement.pdf").status_code == 403
