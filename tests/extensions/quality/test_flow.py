"""Every row of flow F14 accepts what it should and refuses what it should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from extensions.quality.flow import BINDING, COLLECT, FLOW, TABLE, owner_of
from extensions.quality.models import QualityIssue
from extensions.quality.services.issues import IssueService
from portal.actor import SYSTEM, Actor
from portal.clock import local_date
from portal.errors import Conflict, Forbidden, GuardRefused, IllegalEvent
from portal.models import CatalogueEntry, Deadline, Notice
from portal.services.flow import Flow
from portal.services.guards import always
from tests.factories import Catalogue, People, SetClock


@dataclass
class Issues:
    """Brings an issue to a state by its own events."""

    session: Session
    clock: SetClock
    people: People
    catalogue: Catalogue

    @property
    def service(self) -> IssueService:
        return IssueService(self.session, self.clock)

    def entry(self) -> CatalogueEntry:
        return self.catalogue.published()

    def new(self, entry: CatalogueEntry, **changes: Any) -> QualityIssue:
        values = {"check_code": "manual", "evidence": "第3列有乱码", "duty": COLLECT, **changes}
        issue = QualityIssue(entry=entry, entry_id=entry.id, **values)
        issue.owner_id = changes.get("owner_id", owner_of(issue))
        return issue

    def at(self, state: str, check_code: str = "manual") -> QualityIssue:
        issue = self.service.open(
            self.people.bureau, self.entry(), check_code, "第3列有乱码", duty=COLLECT
        )
        if state != "open":
            due_on = local_date(self.clock()) + timedelta(days=20)
            self.service.order(self.people.bureau, issue, text="请更正", due_on=due_on)
        if state == "escalated":
            self.clock.advance(days=30)
            self.service.escalate(issue)
        if state == "fixed":
            self.service.report_fixed(
                self.people.editor, issue, answer="将更正", planned_on=issue.due_on
            )
        assert issue.state == state
        return issue

    def actor(self, kind: str) -> Actor:
        if kind == "city_authority":
            return self.people.actor("city_authority", "JL-CC")
        return {
            "agency": self.people.editor,
            "responsible_dept": self.people.department,
            "bureau": self.people.bureau,
            "system": SYSTEM,
        }[kind]

    def fire(self, issue: QualityIssue, event: str, kind: str, **facts: Any) -> None:
        Flow(FLOW, self.session, self.clock).fire(issue, event, self.actor(kind), **facts)


@pytest.fixture
def issues(session: Session, clock: SetClock, people: People, catalogue: Catalogue) -> Issues:
    return Issues(session, clock, people, catalogue)


Case = Callable[[Issues], None]


def _open(kind: str = "bureau", **changes: Any) -> Case:
    def run(i: Issues) -> None:
        issue = i.new(i.entry(), **changes)
        Flow(FLOW, i.session, i.clock).create(issue, "open", i.actor(kind))

    return run


def _fire(state: str, event: str, kind: str, *, check: str = "manual", **facts: Any) -> Case:
    def run(i: Issues) -> None:
        issue = i.at(state, check)
        given = {k: v(i, issue) if callable(v) else v for k, v in facts.items()}
        i.fire(issue, event, kind, **given)

    return run


def _later(days: int, case: Case) -> Case:
    """Let time pass between the state and the event: `case` is a `_fire` of the event alone."""

    def run(i: Issues) -> None:
        issue = i.at("ordered")
        i.clock.advance(days=days)
        i.fire(issue, "escalate", "system")

    return run if days else case


def _today(i: Issues, _issue: QualityIssue) -> Any:
    return local_date(i.clock())


def _yesterday(i: Issues, issue: QualityIssue) -> Any:
    return _today(i, issue) - timedelta(days=1)


def _new_data(i: Issues, issue: QualityIssue) -> Any:
    return i.catalogue.file(issue.entry).current_version


def _foreign_data(i: Issues, _issue: QualityIssue) -> Any:
    return i.catalogue.file(i.entry()).current_version


ACCEPTED: dict[tuple[str, str], list[Case]] = {
    ("", "open"): [
        _open("bureau"),
        _open("system", check_code="few_rows"),
        _open("responsible_dept"),
    ],
    ("open", "order_rectification"): [
        _fire("open", "order_rectification", "bureau", text="请更正", due_on=_today)
    ],
    ("open", "dismiss"): [_fire("open", "dismiss", "bureau", reason="误报")],
    ("ordered", "report_fixed"): [
        _fire("ordered", "report_fixed", "agency", answer="已更正", version=_new_data),
        _fire("ordered", "report_fixed", "responsible_dept", answer="将更正", planned_on=_today),
    ],
    ("fixed", "verify"): [
        _fire("fixed", "verify", "bureau", reason="已核对"),
        _fire("fixed", "verify", "system", check="few_rows"),
    ],
    ("fixed", "reject_fix"): [_fire("fixed", "reject_fix", "bureau", reason="仍有乱码")],
    ("ordered", "escalate"): [_later(30, _fire("ordered", "escalate", "system"))],
    ("escalated", "report_fixed"): [
        _fire("escalated", "report_fixed", "agency", answer="已更正", version=_new_data)
    ],
}
REFUSED: dict[tuple[str, str], list[Case]] = {
    ("", "open"): [
        _open(evidence=" "),
        _open(check_code="no-such-check"),
        _open(duty="nobody"),
        _open("agency"),
    ],
    ("open", "order_rectification"): [
        _fire("open", "order_rectification", "bureau", text=" ", due_on=_today),
        _fire("open", "order_rectification", "bureau", text="请更正"),
        _fire("open", "order_rectification", "bureau", text="请更正", due_on=_yesterday),
        _fire("open", "order_rectification", "agency", text="请更正", due_on=_today),
    ],
    ("open", "dismiss"): [
        _fire("open", "dismiss", "bureau", reason=" "),
        _fire("open", "dismiss", "agency", reason="误报"),
    ],
    ("ordered", "report_fixed"): [
        _fire("ordered", "report_fixed", "agency", answer=" ", planned_on=_today),
        _fire("ordered", "report_fixed", "agency", answer="已更正"),
        _fire("ordered", "report_fixed", "agency", answer="已更正", version=_foreign_data),
        _fire("ordered", "report_fixed", "agency", answer="将更正", planned_on=_yesterday),
        _fire("ordered", "report_fixed", "bureau", answer="将更正", planned_on=_today),
    ],
    ("fixed", "verify"): [
        _fire("fixed", "verify", "bureau"),
        _fire("fixed", "verify", "system"),
        _fire("fixed", "verify", "bureau", check="missing_metadata"),
        _fire("fixed", "verify", "agency", reason="已核对"),
    ],
    ("fixed", "reject_fix"): [
        _fire("fixed", "reject_fix", "bureau", reason=""),
        _fire("fixed", "reject_fix", "agency", reason="仍有乱码"),
    ],
    ("ordered", "escalate"): [
        _fire("ordered", "escalate", "system"),
        _fire("ordered", "escalate", "bureau"),
    ],
    ("escalated", "report_fixed"): [
        _fire("escalated", "report_fixed", "agency", answer="已更正"),
        _fire("escalated", "report_fixed", "bureau", answer="已更正", planned_on=_today),
    ],
}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.state}-{row.event}")
def test_every_row_has_cases(row: Any) -> None:
    assert ACCEPTED[row.state, row.event]
    assert REFUSED[row.state, row.event]
    guard = BINDING.guards[row.guard_id]
    assert guard is not always


@pytest.mark.parametrize(
    ("row", "number"),
    [(row, n) for row in TABLE for n in range(len(ACCEPTED[row.state, row.event]))],
    ids=lambda value: value if isinstance(value, int) else f"{value.state}-{value.event}",
)
def test_a_row_accepts(issues: Issues, row: Any, number: int) -> None:
    ACCEPTED[row.state, row.event][number](issues)
    found = issues.session.query(QualityIssue).order_by(QualityIssue.id.desc()).first()
    assert found is not None
    assert found.state == row.next_state


@pytest.mark.parametrize(
    ("row", "number"),
    [(row, n) for row in TABLE for n in range(len(REFUSED[row.state, row.event]))],
    ids=lambda value: value if isinstance(value, int) else f"{value.state}-{value.event}",
)
def test_a_row_refuses(issues: Issues, row: Any, number: int) -> None:
    with pytest.raises((GuardRefused, Forbidden)):
        REFUSED[row.state, row.event][number](issues)


def test_the_citys_authority_acts_for_its_own_region(issues: Issues) -> None:
    from portal.models.organisation import get_organisation

    entry = issues.entry()
    entry.provider.region_code = "220104"
    own = get_organisation(issues.session, "JL-HEA")
    own.kind, own.region_code = "city_authority", "220100"
    issues.session.flush()
    assert own.id in BINDING.organisations(issues.new(entry))["city_authority"]
    own.region_code = "220200"
    issues.session.flush()
    assert own.id not in BINDING.organisations(issues.new(entry))["city_authority"]


def test_an_event_that_the_state_has_no_row_for_is_refused(issues: Issues) -> None:
    with pytest.raises(IllegalEvent):
        issues.fire(issues.at("open"), "verify", "bureau", reason="已核对")


def test_the_owner_is_told_and_the_order_has_its_own_deadline(issues: Issues) -> None:
    owner = issues.people.editor
    issue = issues.at("ordered")
    told = issues.session.query(Notice).filter_by(account_id=owner.account_id).all()
    assert any("责令整改" in notice.text for notice in told)
    deadline = (
        issues.session.query(Deadline)
        .filter_by(flow=FLOW, subject_id=issue.id, closed_at=None)
        .one()
    )
    assert deadline.due_on == issue.due_on
    assert deadline.organisation_id == issue.owner_id


def test_the_same_click_opens_one_issue_and_an_old_page_conflicts(issues: Issues) -> None:
    entry = issues.entry()
    open_ = issues.service.open
    first = open_(issues.people.bureau, entry, "few_rows", "3行", key="form-1-key")
    assert open_(issues.people.bureau, entry, "few_rows", "3行", key="form-1-key") is first
    with pytest.raises(GuardRefused):
        open_(issues.people.bureau, entry, "few_rows", "3行", key="form-2-key")
    with pytest.raises(Conflict):
        issues.service.dismiss(issues.people.bureau, first, reason="误报", seen=7)
