"""The work list: due first, the clock in working days, each role its own, few queries."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from sqlalchemy import event

from portal.extension import WorkItem
from portal.services.clockface import clockface
from portal.services.work_list import WorkList
from tests.factories import People, content
from tests.portal.web.work.conftest import Browser, Office, text_of


def test_overdue_and_due_today_come_first(bureau: Browser, office: Office) -> None:
    office.made(lambda catalogue, people: catalogue.submitted(content(title="早先提交")))
    office.platform.clock.advance(days=14)
    office.made(lambda catalogue, people: catalogue.submitted(content(title="刚刚提交")))
    bureau = office.browser("bureau_reviewer", "JL-BUR", 2)
    text = text_of(bureau.get("/work"))
    assert "今天到期" in text
    assert text.index("早先提交") < text.index("刚刚提交")
    office.platform.clock.advance(days=1)
    bureau = office.browser("bureau_reviewer", "JL-BUR", 3)
    assert "已逾期 1 个工作日" in text_of(bureau.get("/work"))


def test_dates_beyond_the_published_calendar_are_provisional(
    bureau: Browser, office: Office
) -> None:
    office.platform.clock.advance(days=33)
    office.made(lambda catalogue, people: catalogue.submitted())
    bureau = office.browser("bureau_reviewer", "JL-BUR", 2)
    text = text_of(bureau.get("/work"))
    assert "暂定" in text
    assert "以国务院节假日安排为准" in text


def test_each_role_sees_what_waits_for_it(office: Office) -> None:
    def make(catalogue: Any, people: Any) -> None:
        catalogue.draft(content(title="草稿甲"))
        catalogue.submitted(content(title="待审乙"))
        catalogue.proposed(content(title="待查丙"))
        catalogue.planned(content(title="计划丁"))

    office.made(make)
    expected = {
        ("agency_editor", "JL-TRA"): {"草稿甲", "计划丁"},
        ("responsible_dept", "JL-TRA"): {"草稿甲", "计划丁"},
        ("agency_security_officer", "JL-TRA"): {"待查丙"},
        ("bureau_reviewer", "JL-BUR"): {"待审乙"},
        ("agency_editor", "JL-HEA"): set(),
        ("auditor", "JL-BUR"): set(),
    }
    for (role, organisation), titles in expected.items():
        text = text_of(office.browser(role, organisation).get("/work"))
        assert set(re.findall("草稿甲|待审乙|待查丙|计划丁", text)) == titles, role


def test_overdue_data_is_listed_with_the_day_it_was_due(editor: Browser, office: Office) -> None:
    from portal.services.freshness import FreshnessService, find_freshness

    def make(catalogue: Any, people: Any) -> None:
        catalogue.published(content(title="逾期数据", update_frequency="daily"))

    office.made(make)
    office.platform.clock.advance(days=10)

    def tick(catalogue: Any, people: Any) -> None:
        freshness = find_freshness(catalogue._session, 1)
        service = FreshnessService(catalogue._session, office.platform.clock)
        while service.tick(freshness):
            office.platform.clock.advance(days=4)

    office.made(tick)
    editor = office.browser("agency_editor", number=2)
    text = text_of(editor.get("/work?kind=overdue"))
    assert "逾期数据" in text
    assert "已逾期" in text
    assert "更新数据" in text


def test_filters_by_kind_and_what_extensions_add(office: Office) -> None:
    people_needed = office.browser("agency_editor")
    assert "没有待办事项" in text_of(people_needed.get("/work"))
    with office.platform.database.reading() as session:
        items = [WorkItem("申请一", "数据申请待审核", "/work/applications/1")]
        actor = People(office.platform, session).actor
        with office.platform.database.writing() as writing:
            editor = People(office.platform, writing).editor
        rows = WorkList(session, office.platform.clock, editor, [lambda s, a: items]).rows()
    assert actor is not None
    assert [(row.kind_label, row.link) for row in rows] == [
        ("数据申请待审核", "/work/applications/1")
    ]


def test_three_hundred_things_cost_a_handful_of_queries(office: Office) -> None:
    def make(catalogue: Any, people: Any) -> None:
        for number in range(300):
            catalogue.draft(content(title=f"草稿{number}"))

    office.made(make)
    editor = office.browser("agency_editor")
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    engine = office.platform.database.engine
    event.listen(engine, "before_cursor_execute", note)
    text = text_of(editor.get("/work"))
    event.remove(engine, "before_cursor_execute", note)
    assert "共 300 件" in text
    assert "另有 200 件" in text
    assert len([s for s in statements if s.startswith("SELECT")]) <= 20


def test_a_planned_day_that_is_no_working_day(office: Office) -> None:
    with office.platform.database.reading() as session:
        sunday, today = date(2026, 11, 22), date(2026, 11, 24)
        late = clockface(session, office.platform.clock, sunday, False)
        now = clockface(session, office.platform.clock, today, False)
    assert (late.late, late.today) == (True, False)
    assert (now.late, now.today, now.left) == (False, True, 0)


def test_visitors_sign_in_and_applicants_have_no_work_pages(office: Office) -> None:
    visitor = office.app.test_client()
    response = visitor.get("/work")
    assert response.status_code == 302
    assert response.location.startswith("/login?next=")
    applicant = office.browser("applicant", "")
    for path in ("/work", "/work/entries", "/work/open-list", "/work/audit", "/work/accounts"):
        applicant.get(path, 403)
    applicant.get("/notices")
    applicant.get("/account")
