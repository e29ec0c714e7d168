"""The approval policy is data: versions, whom they let decide, and what they leave untouched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy.orm import Session

from extensions.access.policy import PERSONAL, PolicyRow, class_of, first_policy
from extensions.access.services.policies import current_version, get_policy, row_of, write_policy
from extensions.access.web.forms import TypedTerms
from portal.errors import Conflict, Forbidden, GuardRefused, Invalid
from portal.services.content import content_of
from portal.services.deadlines import list_open_deadlines
from tests.extensions.access.conftest import ASKED, REQUEST, TERMS, Grants


@pytest.fixture
def database_kind() -> str:
    """Nothing here differs between databases."""
    return "sqlite"


def changed(**values: object) -> tuple[PolicyRow, ...]:
    rows = first_policy().rows
    return tuple(replace(row, **values) if row.code == PERSONAL else row for row in rows)  # type: ignore[arg-type]


def write(grants: Grants, *, seen: int = 1, reason: str = "缩短时限", **values: object) -> None:
    admin = grants.people.admin
    write_policy(
        grants.session, grants.platform.clock, admin, changed(**values), reason=reason, seen=seen
    )


def refusal_of(decide: Callable[[], object]) -> list[str]:
    with pytest.raises(GuardRefused) as caught:
        decide()
    return [defect.code for defect in caught.value.defects]


def days_due(grants: Grants, application: object) -> set[int]:
    grants.session.flush()
    found = list_open_deadlines(grants.session, "access_application", application.id)  # type: ignore[attr-defined]
    return {deadline.working_days for deadline in found}


def test_the_first_version_stands_in_a_file_and_agrees_with_the_flow(grants: Grants) -> None:
    assert current_version(grants.session) == 1
    application = grants.submitted()
    assert application.policy_version == 1
    assert days_due(grants, application) == {2}
    grants.applications.accept(grants.reviewer, application)
    assert days_due(grants, application) == {10}


def test_a_new_version_counts_for_what_is_handed_in_later(grants: Grants) -> None:
    old = grants.under_review()
    write(grants, decide_days=4, accept_days=1)
    assert days_due(grants, old) == {10}
    assert row_of(grants.session, old).decide_days == 10
    grants.applications.withdraw(grants.applicant, old)
    draft = grants.applications.create(grants.applicant, old.interface, REQUEST)
    new = grants.applications.submit(grants.applicant, draft)
    assert (new.policy_version, days_due(grants, new)) == (2, {1})
    grants.applications.accept(grants.reviewer, new)
    assert days_due(grants, new) == {4}
    assert get_policy(grants.session, 1) == first_policy()


def test_only_the_named_roles_decide(grants: Grants) -> None:
    write(grants, approvers=("responsible_dept",))
    application = grants.under_review()
    for decide in (
        lambda: grants.applications.approve(grants.reviewer, application, TERMS),
        lambda: grants.applications.reject(
            grants.reviewer, application, ground="capability", reason="没有加密存储"
        ),
    ):
        assert refusal_of(decide) == ["not_approver"]
    assert application.state == "under_review"


def test_an_editor_does_not_approve(grants: Grants) -> None:
    application = grants.under_review()
    editor = grants.people.editor
    decide = partial(grants.applications.approve, editor, application, TERMS)
    assert refusal_of(decide) == ["not_approver"]


def test_nobody_grants_more_than_the_policy_allows(grants: Grants) -> None:
    write(grants, daily_quota=40, max_daily_quota=50, max_term_days=200)
    application = grants.under_review()
    for terms in (replace(TERMS, quota_day=51), replace(TERMS, quota_day=50, term_days=201)):
        decide = partial(grants.applications.approve, grants.reviewer, application, terms)
        assert refusal_of(decide) == ["out_of_range"]
    grants.applications.approve(grants.reviewer, application, replace(TERMS, quota_day=50))
    policy = row_of(grants.session, application)
    assert TypedTerms.proposed(application, policy).quota_day == "50"


def test_wrong_tables_are_refused_with_every_defect(grants: Grants) -> None:
    with pytest.raises(Invalid) as caught:
        write(grants, approvers=("bureau_admin",), decide_days=0, daily_quota=5, max_daily_quota=4)
    fields = {defect.field for defect in caught.value.defects}
    assert fields == {"personal.approvers", "personal.decide_days", "personal.daily_quota"}
    with pytest.raises(GuardRefused):
        write(grants)  # nothing changed
    with pytest.raises(GuardRefused):
        write(grants, decide_days=5, reason=" ")
    write(grants, decide_days=5)
    with pytest.raises(Conflict):
        write(grants, decide_days=6, seen=1)
    rows = changed(decide_days=7)
    for actor in (grants.reviewer, grants.people.bureau):
        with pytest.raises(Forbidden):
            write_policy(grants.session, grants.platform.clock, actor, rows, reason="试试", seen=2)


def test_the_class_follows_what_is_asked(grants: Grants, session: Session) -> None:
    content = content_of(grants.interface().entry.published_version)
    assert class_of(content, ASKED) == PERSONAL
    assert class_of(content, ("stop_code",)) in ("level1", "level2")
