"""Many people at one draft, and two reviewers at one version: nothing lost, one decision."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from portal.errors import Conflict, Defect, IllegalEvent, PortalError
from portal.models import AuditEvent, EntryVersion
from portal.models.entry import get_version
from portal.platform import Platform
from portal.services.accounts import actor_of
from portal.services.content import content_of
from portal.services.entries import EntryService
from portal.services.open_list import OpenListService, get_place
from tests.factories import BUREAU, TRANSPORT, Catalogue, People
from tests.faults.working import committing, threads_of

WRITERS = 50


def _events(platform: Platform, version_id: int, event: str) -> int:
    with platform.database.reading() as session:
        query = select(func.count(AuditEvent.id)).where(
            AuditEvent.flow == "catalogue_entry",
            AuditEvent.subject_id == version_id,
            AuditEvent.event == event,
        )
        return session.scalar(query) or 0


class Edits:
    """Fifty writers who all read the draft before any of them saves."""

    def __init__(self, platform: Platform, catalogue: Catalogue, people: People) -> None:
        self.platform = platform
        version = catalogue.draft()
        self.version_id, self.seen = version.id, version.row_version
        self.before = content_of(version)
        self.editors = [
            actor_of(people.account("agency_editor", TRANSPORT, number=n)) for n in range(WRITERS)
        ]
        self.applied: list[int] = []
        self.conflicts = 0
        self._all_have_read = threading.Barrier(WRITERS)
        self._lock = threading.Lock()

    def save(self, number: int, *, tries: int) -> None:
        self._all_have_read.wait()
        seen = self.seen
        for _ in range(tries):
            try:
                self._save_once(number, seen)
            except Conflict:
                with self._lock:
                    self.conflicts += 1
                with self.platform.database.reading() as session:
                    seen = get_version(session, self.version_id).row_version
                continue
            with self._lock:
                self.applied.append(number)
            return

    def _save_once(self, number: int, seen: int) -> None:
        with self.platform.database.writing() as session:
            version = get_version(session, self.version_id)
            content = content_of(version)
            changed = replace(content, keywords=(*content.keywords, f"词{number}"))
            EntryService(session, self.platform.clock).save(
                self.editors[number], version, changed, seen=seen
            )


@pytest.fixture
def edits(platform: Platform) -> Edits:
    with platform.database.writing() as session:
        people = People(platform, session)
        return Edits(platform, Catalogue(platform, session, people), people)


def test_of_fifty_edits_of_what_all_had_read_one_is_applied_and_the_others_conflict(
    edits: Edits,
) -> None:
    raised = threads_of(*(lambda n=n: edits.save(n, tries=1) for n in range(WRITERS)))  # type: ignore[misc]
    assert raised == []
    assert len(edits.applied) == 1
    assert edits.conflicts == WRITERS - 1
    with edits.platform.database.reading() as session:
        version = get_version(session, edits.version_id)
        assert version.row_version == edits.seen + 1
        assert content_of(version).keywords == (
            *edits.before.keywords,
            f"词{edits.applied[0]}",
        )
    assert _events(edits.platform, edits.version_id, "save") == 1


def test_fifty_editors_who_read_again_after_a_conflict_lose_no_edit(edits: Edits) -> None:
    raised = threads_of(*(lambda n=n: edits.save(n, tries=1000) for n in range(WRITERS)))  # type: ignore[misc]
    assert raised == []
    assert sorted(edits.applied) == list(range(WRITERS))
    with edits.platform.database.reading() as session:
        version = get_version(session, edits.version_id)
        assert version.row_version == edits.seen + WRITERS
        words = content_of(version).keywords
        assert sorted(words) == sorted(
            [*edits.before.keywords, *(f"词{n}" for n in range(WRITERS))]
        )
        assert set(version.editors) >= {editor.account_id for editor in edits.editors}
    assert _events(edits.platform, edits.version_id, "save") == WRITERS


@pytest.mark.parametrize("events", [("approve", "approve"), ("approve", "return")])
def test_of_two_reviewers_exactly_one_decides(platform: Platform, events: tuple[str, str]) -> None:
    with platform.database.writing() as session:
        people = People(platform, session)
        version = Catalogue(platform, session, people).submitted()
        version_id, seen, entry_id = version.id, version.row_version, version.entry_id
        reviewers = [people.actor("bureau_reviewer", BUREAU, number=n) for n in (1, 2)]
    both_have_read = threading.Barrier(2)
    refused: list[PortalError] = []

    def decide(event: str, number: int) -> None:
        both_have_read.wait()
        try:
            with platform.database.writing() as session:
                service = EntryService(session, platform.clock)
                read = get_version(session, version_id)
                if event == "approve":
                    service.approve(reviewers[number], read, seen=seen)
                else:
                    defects = [Defect("title", "wording", "名称不规范")]
                    service.return_for_correction(
                        reviewers[number], read, reason="见清单", defects=defects, seen=seen
                    )
        except (Conflict, IllegalEvent) as error:
            refused.append(error)

    raised = threads_of(lambda: decide(events[0], 0), lambda: decide(events[1], 1))
    assert raised == []
    decided = _events(platform, version_id, "approve") + _events(platform, version_id, "return")
    assert decided == 1
    assert len(refused) == 1
    with platform.database.reading() as session:
        states = session.scalars(
            select(EntryVersion.state).where(EntryVersion.entry_id == entry_id)
        ).all()
        assert states in (["published"], ["returned"])


def test_a_double_click_on_approve_decides_once(platform: Platform) -> None:
    with platform.database.writing() as session:
        people = People(platform, session)
        version = Catalogue(platform, session, people).submitted()
        version_id, reviewer = version.id, people.bureau
    both = threading.Barrier(2)

    def click() -> None:
        both.wait()
        with platform.database.writing() as session:
            read = get_version(session, version_id)
            EntryService(session, platform.clock).approve(reviewer, read, key="one-form")

    raised = threads_of(click, click)
    assert all(isinstance(error, Conflict) for error in raised), raised
    assert _events(platform, version_id, "approve") == 1


def test_of_two_people_who_decide_on_one_place_of_the_open_list_one_wins(
    platform: Platform,
) -> None:
    with committing(platform) as catalogue:
        place_id = catalogue.proposed().id
    with platform.database.writing() as session:
        people = People(platform, session)
        officers = [people.actor("agency_security_officer", TRANSPORT, number=n) for n in (1, 2)]
    both = threading.Barrier(2)

    def decide(number: int) -> None:
        both.wait()
        with platform.database.writing() as session:
            service = OpenListService(session, platform.clock)
            place = get_place(session, place_id)
            service.pass_review(officers[number], place, {"confidential": "否"})

    raised = threads_of(lambda: decide(0), lambda: decide(1))
    assert len(raised) == 1
    assert isinstance(raised[0], Conflict | IllegalEvent)
