"""A reviewed version comes out on its day, not before; calling it off needs a reason."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.errors import Forbidden, GuardRefused, IllegalEvent, Invalid
from portal.jobs.kinds import release_versions
from portal.models import AuditEvent, Deadline, EntryVersion
from portal.platform import Platform
from portal.services.scheduled_release import cancel_release, list_due, release
from tests.factories import Catalogue, People, SetClock, content

DAY = date(2026, 12, 1)


def _waiting(catalogue: Catalogue, people: People) -> EntryVersion:
    return catalogue.entries.approve(people.bureau, catalogue.submitted(), release_on=DAY)


def test_it_waits_for_its_day_and_is_due_on_it(
    session: Session, catalogue: Catalogue, people: People, clock: SetClock
) -> None:
    version = _waiting(catalogue, people)
    assert version.state == "approved"
    assert not version.entry.is_public
    due = session.scalars(
        select(Deadline).where(Deadline.subject_id == version.id, Deadline.closed_at.is_(None))
    ).all()
    assert [d.due_on for d in due if d.flow == "catalogue_entry"] == [DAY]
    assert list_due(session, clock) == []
    assert release(session, clock, version.id) is False
    clock.advance(days=7)
    assert list_due(session, clock) == [version.id]
    assert release(session, clock, version.id) is True
    assert release(session, clock, version.id) is False
    assert version.state == "published"
    assert version.entry.is_public


def test_one_that_was_retired_meanwhile_waits(
    session: Session, catalogue: Catalogue, people: People, clock: SetClock
) -> None:
    entry = catalogue.published()
    version = catalogue.entries.revise(people.department, entry)
    catalogue.entries.save(people.editor, version, content(title="吉林省公交线路信息（修订）"))
    catalogue.entries.submit(people.department, version)
    catalogue.entries.approve(people.bureau, version, release_on=DAY)
    catalogue.entries.retire(people.bureau, entry, reason="依据已失效", consequences_shown=True)
    clock.advance(days=7)
    assert list_due(session, clock) == []
    assert release(session, clock, version.id) is False
    catalogue.entries.restore(people.bureau, entry, reason="恢复")
    assert release(session, clock, version.id) is True
    assert entry.published_version is version


@pytest.mark.parametrize("day", [DAY - timedelta(days=8), DAY + timedelta(days=500)])
def test_a_day_in_the_past_or_far_away_is_refused(
    catalogue: Catalogue, people: People, day: date
) -> None:
    version = catalogue.submitted()
    with pytest.raises(Invalid):
        catalogue.entries.approve(people.bureau, version, release_on=day)
    assert version.state == "submitted"


def test_today_is_at_once(catalogue: Catalogue, people: People) -> None:
    version = catalogue.entries.approve(
        people.bureau, catalogue.submitted(), release_on=date(2026, 11, 24)
    )
    assert version.state == "published"


def test_calling_it_off_needs_a_reason_and_a_party(
    session: Session, catalogue: Catalogue, people: People, clock: SetClock
) -> None:
    version = _waiting(catalogue, people)
    with pytest.raises(GuardRefused):
        cancel_release(session, clock, people.department, version, reason=" ")
    with pytest.raises(Forbidden):
        cancel_release(session, clock, people.stranger, version, reason="误")
    cancel_release(session, clock, people.department, version, reason="数据尚未核对完毕")
    assert version.state == "submitted"
    assert version.release_on is None
    event = session.scalars(select(AuditEvent).where(AuditEvent.event == "cancel_release")).one()
    assert event.details == {"release_on": "2026-12-01"}
    clock.advance(days=30)
    assert release(session, clock, version.id) is False
    with pytest.raises(IllegalEvent):
        cancel_release(session, clock, people.department, version, reason="再次")


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_the_job_puts_out_what_is_due(platform: Platform, clock: SetClock) -> None:
    with platform.database.writing() as session:
        people = People(platform, session)
        version_id = _waiting(Catalogue(platform, session, people), people).id
    release_versions(platform, {})
    clock.advance(days=7)
    release_versions(platform, {})
    release_versions(platform, {})
    with platform.database.reading() as session:
        version = session.get(EntryVersion, version_id)
        assert version is not None
        assert version.state == "published"
        published = select(AuditEvent).where(AuditEvent.event == "publish")
        assert len(session.scalars(published).all()) == 1
