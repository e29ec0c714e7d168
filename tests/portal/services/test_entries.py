"""An entry's way through flow F1."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.errors import Conflict, Defect, Forbidden, GuardRefused, IllegalEvent
from portal.models import AuditEvent, Deadline, IndexRequest, Notice
from portal.models.entry import list_versions
from portal.platform import Platform
from portal.services.content import content_of
from portal.services.entries import EntryService
from tests.factories import Catalogue, People, content


def test_a_submitted_entry_is_approved_and_published(
    session: Session, catalogue: Catalogue, people: People
) -> None:
    entry = catalogue.published()
    assert entry.is_public
    assert entry.published_version is not None
    assert entry.published_version.state == "published"
    assert session.get(IndexRequest, entry.id) is not None
    events = session.scalars(
        select(AuditEvent.event).where(AuditEvent.flow == "catalogue_entry").order_by(AuditEvent.id)
    ).all()
    assert events == ["create", "submit", "approve", "publish"]


def test_submission_starts_a_deadline_of_ten_working_days(
    session: Session, catalogue: Catalogue
) -> None:
    version = catalogue.submitted()
    deadline = session.scalars(select(Deadline).where(Deadline.subject_id == version.id)).one()
    assert deadline.due_on.isoformat() == "2026-12-08"
    assert not deadline.provisional
    assert deadline.closed_at is None


def test_a_decision_closes_its_deadline_and_tells_the_department(
    session: Session, catalogue: Catalogue, people: People
) -> None:
    version = catalogue.submitted()
    catalogue.entries.return_for_correction(
        people.bureau, version, reason="见清单", defects=[Defect("title", "x", "名称不规范")]
    )
    deadlines = session.scalars(
        select(Deadline).where(Deadline.subject_id == version.id).order_by(Deadline.id)
    ).all()
    assert [d.met for d in deadlines] == [True, None]
    told = session.scalars(select(Notice.account_id)).all()
    assert people.department.account_id in told
    assert version.return_defects == [{"field": "title", "message": "名称不规范"}]


def test_every_defect_is_named_at_once(catalogue: Catalogue, people: People) -> None:
    version = catalogue.draft(content(abstract="短", share_type="none", licence=""))
    with pytest.raises(GuardRefused) as caught:
        catalogue.entries.submit(people.department, version)
    assert {d.field for d in caught.value.defects} == {
        "abstract",
        "share_condition",
        "share_basis",
        "licence",
    }
    assert version.state == "draft"


def test_who_edited_a_version_may_not_review_it(catalogue: Catalogue, people: People) -> None:
    version = catalogue.submitted()
    version.editors = [*version.editors, people.bureau.account_id]
    with pytest.raises(GuardRefused):
        catalogue.entries.approve(people.bureau, version)


def test_a_stranger_may_not_save(catalogue: Catalogue, people: People) -> None:
    version = catalogue.draft()
    with pytest.raises(Forbidden):
        catalogue.entries.save(people.stranger, version, content())


def test_two_reviewers_one_wins(catalogue: Catalogue, people: People) -> None:
    version = catalogue.submitted()
    seen = version.row_version
    catalogue.entries.approve(people.bureau, version, seen=seen)
    other = people.actor("bureau_reviewer", "JL-BUR", number=2)
    with pytest.raises((Conflict, IllegalEvent)):
        catalogue.entries.approve(other, version, seen=seen)


def test_a_double_click_decides_once(
    session: Session, catalogue: Catalogue, people: People
) -> None:
    version = catalogue.submitted()
    seen = version.row_version
    catalogue.entries.approve(people.bureau, version, seen=seen, key="click-1")
    catalogue.entries.approve(people.bureau, version, seen=seen, key="click-1")
    approvals = session.scalars(select(AuditEvent).where(AuditEvent.event == "approve")).all()
    assert len(approvals) == 1


def test_a_revision_leaves_the_published_version_public(
    session: Session, platform: Platform, catalogue: Catalogue, people: People
) -> None:
    entry = catalogue.published()
    first = entry.published_version
    version = catalogue.entries.revise(people.department, entry)
    assert entry.published_version is first
    changed = content(title="吉林省公交线路信息（修订）")
    catalogue.entries.save(people.editor, version, changed)
    catalogue.entries.submit(people.department, version)
    catalogue.entries.approve(people.bureau, version)
    assert entry.published_version is version
    assert [v.state for v in list_versions(session, entry.id)] == ["published", "superseded"]
    assert content_of(version).title == "吉林省公交线路信息（修订）"


def test_a_retired_entry_leaves_the_public_and_comes_back(
    catalogue: Catalogue, people: People
) -> None:
    entry = catalogue.published()
    with pytest.raises(GuardRefused):
        catalogue.entries.retire(people.bureau, entry, reason="", consequences_shown=True)
    catalogue.entries.retire(people.bureau, entry, reason="依据已失效", consequences_shown=True)
    assert not entry.is_public
    catalogue.entries.restore(people.bureau, entry, reason="恢复")
    assert entry.is_public


def test_an_old_click_undoes_nothing(catalogue: Catalogue, people: People) -> None:
    entry = catalogue.published()

    def retire() -> None:
        catalogue.entries.retire(
            people.bureau, entry, reason="依据已失效", consequences_shown=True, key="retire-1"
        )

    def restore() -> None:
        catalogue.entries.restore(people.bureau, entry, reason="恢复", key="restore-1")

    retire()
    restore()
    retire()  # the form that was sent before, sent again
    assert entry.is_public
    catalogue.entries.retire(people.bureau, entry, reason="再次失效", consequences_shown=True)
    restore()
    assert not entry.is_public


def test_saving_without_a_change_writes_nothing(
    session: Session, catalogue: Catalogue, people: People, platform: Platform
) -> None:
    version = catalogue.draft()
    before = version.row_version
    EntryService(session, platform.clock).save(people.editor, version, content_of(version))
    assert version.row_version == before
