"""The way onto the open list, in the browser's terms."""

from __future__ import annotations

from typing import Any

import pytest

from portal.models import OpenListEntry
from portal.rules.entry_content import InformationItem
from tests.factories import content
from tests.portal.web.work.conftest import Browser, Office, text_of

PASSED = {"confidential": "是", "personal": "是", "aggregation": "是", "masking": "是"}


def place_of(office: Office, stage: str, **changes: Any) -> str:
    given = content(**changes)
    place = office.made(lambda catalogue, people: getattr(catalogue, stage)(given))
    return f"/work/open-list/{place.id}"


def read(office: Office, path: str) -> OpenListEntry:
    place_id = int(path.rsplit("/", 1)[1])
    return office.read(lambda s: s.get(OpenListEntry, place_id))


def test_from_proposal_to_the_public(
    reviewer: Browser, officer: Browser, editor: Browser, office: Office
) -> None:
    entry = office.made(lambda catalogue, people: catalogue.published())
    proposal = f"/work/entries/{entry.slug}/propose"
    form = reviewer.form(proposal, "/propose")
    path = reviewer.send(form, planned_open_date="2026-12-01").location
    assert reviewer.send(form, planned_open_date="2026-12-01").location == path  # double click
    assert "还剩 5 个工作日" in text_of(officer.get("/work"))
    officer.submit(path, "/review", verdict="pass", opinion="同意开放", **PASSED)
    assert read(office, path).review["opinion"] == "同意开放"
    page = text_of(reviewer.get(path))
    assert "截至 2026年12月1日" in page
    assert "无条件开放的数据至少要有一个数据文件" in page
    office.made(lambda catalogue, people: catalogue.file(_entry(catalogue, entry.id)))
    form = reviewer.form(path, "/publish")
    reviewer.send(form)
    reviewer.send(form)
    assert read(office, path).state == "open"


def test_how_a_column_is_masked_is_said_in_words(officer: Browser, office: Office) -> None:
    items = (
        *content().items,
        InformationItem(
            4, "联系电话", "phone", "string", 20, personal="personal", masking="mask_phone"
        ),
    )
    page = text_of(officer.get(place_of(office, "proposed", items=items)))
    assert "电话遮盖" in page
    assert "mask_phone" not in page


def _entry(catalogue: Any, entry_id: int) -> Any:
    from portal.models import CatalogueEntry

    return catalogue._session.get(CatalogueEntry, entry_id)


@pytest.mark.parametrize("method", ["shared", "negotiated"])
def test_data_got_from_others_cannot_be_proposed(
    reviewer: Browser, office: Office, method: str
) -> None:
    entry = office.made(
        lambda catalogue, people: catalogue.published(content(acquisition_method=method))
    )
    page = reviewer.get(f"/work/entries/{entry.slug}/propose")
    assert "第29条" in text_of(page)
    data = {"csrf_token": reviewer.token(), "seen": "1", "key": "12345678-a"}
    response = reviewer.client.post(f"/work/entries/{entry.slug}/propose", data=data)
    assert response.status_code == 409
    assert "应由数据来源单位开放" in text_of(response)


@pytest.mark.parametrize("day", ["昨天", "2020-01-01"])
def test_a_wrong_planned_date_is_named_and_kept(
    reviewer: Browser, office: Office, day: str
) -> None:
    entry = office.made(lambda catalogue, people: catalogue.published())
    response = reviewer.submit(
        f"/work/entries/{entry.slug}/propose", "/propose", 422, planned_open_date=day
    )
    assert "计划开放日期" in text_of(response)
    assert f'value="{day}"' in response.text


def test_the_review_asks_for_every_check_and_keeps_the_answers(
    officer: Browser, office: Office
) -> None:
    path = place_of(office, "proposed")
    response = officer.submit(
        path, "/review", 422, verdict="pass", confidential="是", opinion="写好的意见"
    )
    text = text_of(response)
    assert "请核对“不涉及个人隐私和商业秘密，或已取得同意”" in text
    assert "写好的意见" in response.text
    response = officer.submit(
        path, "/review", 422, verdict="pass", opinion="同意", **{**PASSED, "personal": "否"}
    )
    assert "不能通过保密审查" in text_of(response)
    assert read(office, path).state == "proposed"


def test_a_failed_review_needs_a_reason(officer: Browser, office: Office) -> None:
    path = place_of(office, "proposed")
    assert "请写明理由" in text_of(officer.submit(path, "/review", 409, verdict="fail"))
    officer.submit(path, "/review", verdict="fail", opinion="含个人信息")
    assert read(office, path).state == "rejected"


@pytest.mark.parametrize(
    ("role", "organisation"),
    [
        ("agency_editor", "JL-TRA"),
        ("bureau_reviewer", "JL-BUR"),
        ("agency_security_officer", "JL-HEA"),
    ],
)
def test_nobody_else_reviews(office: Office, role: str, organisation: str) -> None:
    path = place_of(office, "proposed")
    person = office.browser(role, organisation)
    data = {
        "csrf_token": person.token(), "seen": "1", "key": "12345678-a",
        "verdict": "pass", "opinion": "代审", **PASSED,
    }  # fmt: skip
    assert person.client.post(f"{path}/review", data=data).status_code == 403
    assert read(office, path).state == "proposed"


def test_of_two_officers_the_second_gets_a_conflict(officer: Browser, office: Office) -> None:
    path = place_of(office, "proposed")
    other = office.browser("agency_security_officer", number=2)
    first, second = officer.form(path, "/review"), other.form(path, "/review")
    officer.send(first, verdict="pass", opinion="同意", **PASSED)
    response = other.send(second, 409, verdict="fail", opinion="不同意")
    assert "当前状态" in text_of(response)
    assert read(office, path).state == "planned"


def test_opening_without_a_file_is_refused_by_the_server_too(
    reviewer: Browser, office: Office
) -> None:
    path = place_of(office, "planned")
    row_version = read(office, path).row_version
    data = {"csrf_token": reviewer.token(), "seen": str(row_version), "key": "12345678-a"}
    response = reviewer.client.post(f"{path}/publish", data=data)
    assert response.status_code == 409
    assert "至少要有一个数据文件" in text_of(response)


def test_suspend_resume_and_remove(reviewer: Browser, bureau: Browser, office: Office) -> None:
    path = place_of(office, "opened")
    assert "请写明理由" in text_of(reviewer.submit(path, "/suspend", 409))
    form = bureau.form(path, "/suspend")
    bureau.send(form, reason="数据有误")
    bureau.send(form, reason="数据有误")
    response = reviewer.submit(path, "/resume", 409, reason="已改")
    assert "须由数字化局恢复" in text_of(response)
    bureau.submit(path, "/resume", reason="已核查")
    assert read(office, path).state == "open"
    early = reviewer.submit(path, "/remove", 409, reason="不再产生")
    assert "须先发布撤下公告" in text_of(early)
    reviewer.submit(path, "/announce-removal", reason="不再产生")
    assert "现为第0个工作日" in text_of(reviewer.submit(path, "/remove", 409, reason="不再产生"))
    office.platform.clock.advance(days=20)
    reviewer = office.browser("agency_reviewer")
    reviewer.submit(path, "/remove", reason="不再产生")
    assert read(office, path).state == "removed"


def test_a_stale_page_cannot_suspend(reviewer: Browser, bureau: Browser, office: Office) -> None:
    path = place_of(office, "opened")
    stale = reviewer.form(path, "/suspend")
    bureau.submit(path, "/suspend", reason="核查")
    bureau.submit(path, "/resume", reason="无误")
    response = reviewer.send(stale, 409, reason="旧页面")
    assert "内容已被他人修改" in text_of(response)
    assert read(office, path).state == "open"


def test_the_list_puts_high_value_first_and_offers_candidates(
    reviewer: Browser, office: Office
) -> None:
    place_of(office, "planned", title="低价值", theme="credit")
    place_of(office, "planned", title="高价值", theme="transport")
    office.made(lambda catalogue, people: catalogue.published(content(title="可提出")))
    text = text_of(reviewer.get("/work/open-list"))
    assert text.index("高价值") < text.index("低价值")
    assert "可提出" in text
