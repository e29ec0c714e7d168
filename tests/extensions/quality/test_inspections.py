"""What a random inspection finds is mended as a quality issue, with a day, and closed by a re-check."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.quality.models import QualityIssue
from extensions.quality.services.hooks import waiting_issues
from extensions.quality.services.issues import IssueService
from portal.clock import local_date
from portal.errors import Conflict, GuardRefused
from portal.models import Deadline, SpotCheck, SpotCheckItem
from portal.services.inspection_findings import mendings_of
from portal.services.inspections import PASSED, PROBLEM, InspectionService, Scope
from tests.factories import Catalogue, People, SetClock

Drawn = tuple[SpotCheck, list[SpotCheckItem]]


@pytest.fixture
def service(session: Session, clock: SetClock) -> InspectionService:
    return InspectionService(session, clock)


@pytest.fixture
def drawn(service: InspectionService, catalogue: Catalogue, people: People) -> Drawn:
    for _ in range(2):
        catalogue.published()
    check = service.announce(people.bureau, "四季度抽查", Scope(), 2, public_rule="彩票号码")
    return check, service.draw(people.bureau, check, "02 08")


def issues(session: Session) -> list[QualityIssue]:
    return list(session.scalars(select(QualityIssue).order_by(QualityIssue.id)).unique())


def test_a_problem_is_ordered_to_be_mended_and_closed_by_the_recheck(
    session: Session, clock: SetClock, service: InspectionService, people: People, drawn: Drawn
) -> None:
    check, (bad, good) = drawn
    service.record_finding(people.bureau, bad, PROBLEM, "首末班时间缺失，请补齐")
    service.record_finding(people.bureau, good, PASSED, "")
    (issue,) = issues(session)
    assert (issue.state, issue.entry_id) == ("open", bad.entry_id)
    assert "四季度抽查" in issue.evidence
    assert waiting_issues(session, people.editor) == []
    due_on = local_date(clock()) + timedelta(days=14)
    service.conclude(people.bureau, check, "一项须整改", due_on=due_on)
    session.flush()
    assert (issue.state, issue.due_on, issue.order) == ("ordered", due_on, "首末班时间缺失，请补齐")
    (waiting,) = waiting_issues(session, people.editor)
    assert waiting.link == f"/work/quality/issues/{issue.id}"
    open_until = session.scalars(
        select(Deadline.due_on).where(
            Deadline.flow == "quality_issue", Deadline.closed_at.is_(None)
        )
    ).all()
    assert due_on in open_until
    shown = mendings_of(session, [bad.id, good.id])
    assert (shown[bad.id].state, shown[bad.id].due_on) == ("整改中", due_on)
    assert good.id not in shown
    quality = IssueService(session, clock)
    quality.report_fixed(people.editor, issue, answer="已补齐", planned_on=local_date(clock()))
    quality.verify(people.bureau, issue, reason="已核对，首末班齐全")
    assert issue.state == "closed"
    assert mendings_of(session, [bad.id])[bad.id].is_ended


def test_inspectors_correct_themselves_until_mending_is_ordered(
    session: Session, clock: SetClock, service: InspectionService, people: People, drawn: Drawn
) -> None:
    _, (item, _other) = drawn
    service.record_finding(people.bureau, item, PROBLEM, "缺首班")
    service.record_finding(people.bureau, item, PROBLEM, "缺首班和末班")
    (issue,) = issues(session)
    assert issue.evidence.endswith("缺首班和末班")
    service.record_finding(people.bureau, item, PASSED, "")
    assert issue.state == "dismissed"
    service.record_finding(people.bureau, item, PROBLEM, "末班确实缺")
    _, again = issues(session)
    assert again.state == "open"
    IssueService(session, clock).order(people.bureau, again, text="请补", due_on=date(2026, 12, 10))
    with pytest.raises(Conflict):
        service.record_finding(people.bureau, item, PASSED, "")
    with pytest.raises(Conflict):
        service.record_finding(people.bureau, item, PROBLEM, "别的问题")


def test_a_day_that_cannot_be_ordered_stops_the_conclusion(
    session: Session, service: InspectionService, people: People, drawn: Drawn
) -> None:
    check, (bad, good) = drawn
    service.record_finding(people.bureau, bad, PROBLEM, "缺列")
    service.record_finding(people.bureau, good, PASSED, "")
    with pytest.raises(GuardRefused) as refused:
        service.conclude(people.bureau, check, "结论", due_on=date(2026, 1, 1))
    assert [d.field for d in refused.value.defects] == ["due_on"]


def test_what_was_retired_meanwhile_has_nothing_to_be_mended(
    session: Session,
    clock: SetClock,
    service: InspectionService,
    catalogue: Catalogue,
    people: People,
    drawn: Drawn,
) -> None:
    check, (bad, good) = drawn
    catalogue.entries.retire(people.bureau, bad.entry, reason="停采", consequences_shown=True)
    service.record_finding(people.bureau, bad, PROBLEM, "已经撤下")
    service.record_finding(people.bureau, good, PROBLEM, "类型不符")
    service.conclude(people.bureau, check, "结论")
    (issue,) = issues(session)
    assert issue.entry_id == good.entry_id
    assert issue.due_on == IssueService(session, clock).usual_due_date()
