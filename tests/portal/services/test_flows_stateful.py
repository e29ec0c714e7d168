"""Several people work on the same entries, in any order, from pages that grew old (F1 and F4).

Whatever they do: no state that the table does not lead to, no edit lost, nothing published that
another person did not review, everybody told whom the row names, and every step in the audit trail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from portal.actor import Actor
from portal.clock import local_date
from portal.errors import Conflict, Defect, Forbidden, IllegalEvent, Invalid
from portal.models import AuditEvent, CatalogueEntry, EntryVersion, Notice, OpenListEntry
from portal.models.entry import UNFINISHED
from portal.models.open_list import find_open_list_entry
from portal.platform import Platform
from portal.rules.entry_content import EntryContent
from portal.rules.security_review import CHECKS, PASSED
from portal.services import catalogue_flow, open_list_flow
from portal.services.content import content_of
from portal.services.flow import FLOWS
from portal.services.notices import accounts_acting_as
from portal.services.scheduled_release import cancel_release, list_due, release
from tests.factories import HEALTH, NOW, TRANSPORT, Catalogue, People, SetClock, content

REFUSALS = (Conflict, Forbidden, IllegalEvent, Invalid)
FLOW_NAMES = (catalogue_flow.FLOW, open_list_flow.FLOW)
EVERYBODY = [
    "editor", "second_editor", "department", "foreign_department", "reviewer", "officer",
    "bureau", "second_bureau",
]  # fmt: skip
OLD = st.sampled_from([False, False, True])
PICK = st.integers(0, 59)


def mostly(*names: str) -> st.SearchStrategy[str]:
    """Return those who may do it three times out of four, else anybody."""
    often = list(names) * (3 * len(EVERYBODY) // len(names))
    return st.sampled_from(often + EVERYBODY)


CHANGES = st.sampled_from(
    [{"contact_name": "甲处"}, {"contact_name": "乙处"}, {"contact_name": ""},
     {"abstract": "改写过的摘要，说明包含什么、来自哪项业务、怎样使用。"},
     {"update_frequency": "weekly"}, {"open_type": "none", "closed_ground": ("privacy",)},
     {"open_type": "unconditional", "closed_ground": ()}]
)  # fmt: skip
REVIEW = {**dict.fromkeys(CHECKS, PASSED), "opinion": "可以开放"}


@dataclass(frozen=True)
class Page:
    """What somebody has open in a browser: the version as it was then, and the form's key."""

    version_id: int
    seen: int
    shown: EntryContent
    key: str


class Office(RuleBasedStateMachine):
    platform: Platform

    def __init__(self) -> None:
        super().__init__()
        clock = self.platform.clock
        assert isinstance(clock, SetClock)
        self.clock = clock
        clock.now = NOW
        self.session = self.platform.database.writing_session()
        people = People(self.platform, self.session)
        self.catalogue = Catalogue(self.platform, self.session, people)
        self.actors: dict[str, Actor] = {
            "editor": people.editor,
            "second_editor": people.actor("agency_editor", TRANSPORT, number=2),
            "department": people.department,
            "foreign_department": people.actor("responsible_dept", HEALTH),
            "reviewer": people.agency_reviewer,
            "officer": people.security_officer,
            "bureau": people.bureau,
            "second_bureau": people.actor("bureau_reviewer", "JL-BUR", number=2),
        }
        self.keys = count(1)
        self.expected: dict[int, EntryContent] = {}
        self.last_event = 0
        self.pages: list[Page] = []

    def teardown(self) -> None:
        self.session.rollback()
        self.session.close()

    def attempt(self, act: Callable[[], Any]) -> bool:
        """Do it as a request does: refused, nothing of it stays. Say whether it happened."""
        try:
            with self.session.begin_nested():
                act()
        except REFUSALS:
            self.session.expire_all()
            return False
        return True

    def in_state(self, *states: str) -> list[Page]:
        return [page for page in self.pages if self.version(page).state in states]

    def page(self, pick: int, *states: str) -> Page:
        """Return a page that somebody has open; four times out of five one in such a state."""
        fitting = self.in_state(*states) if pick % 5 else []
        among = fitting or self.pages
        return among[pick % len(among)]

    def key(self) -> str:
        return f"form-{next(self.keys)}"

    def version(self, page: Page) -> EntryVersion:
        found = self.session.get(EntryVersion, page.version_id)
        assert found is not None
        return found

    def seen(self, page: Page, old: bool) -> int:
        """Return what the page showed, or what stands now: the page was loaded again."""
        return page.seen if old else self.version(page).row_version

    def open(self, version: EntryVersion) -> Page:
        return Page(version.id, version.row_version, content_of(version), self.key())

    # What people do

    @initialize()
    def first_entry(self) -> None:
        self.create("editor")

    def create(self, who: str) -> None:
        given = content()
        version = self.catalogue.entries.create(
            self.actors[who], self.catalogue.organisation(), given
        )
        self.expected[version.id] = given
        self.pages.append(self.open(version))

    @precondition(lambda self: len(self.expected) < 4)
    @rule()
    def draft(self) -> None:
        self.create("second_editor")

    @rule(pick=PICK)
    def look_again(self, pick: int) -> None:
        self.pages.append(self.open(self.version(self.page(pick))))

    @rule(pick=PICK, who=mostly("editor", "second_editor", "department"), change=CHANGES, old=OLD)
    def save(self, pick: int, who: str, change: dict[str, Any], old: bool) -> None:
        """From a page that may be old: what others wrote since is never written over."""
        page = self.page(pick, "draft", "returned")
        version = self.version(page)
        page = page if old else self.open(version)
        before, wanted = content_of(version), replace(page.shown, **change)
        stale = version.row_version != page.seen
        done = self.attempt(
            lambda: self.catalogue.entries.save(
                self.actors[who], version, wanted, seen=page.seen, key=page.key
            )
        )
        if done and wanted != before:
            assert not stale
            self.expected[version.id] = wanted

    @rule(pick=PICK, who=mostly("department"), old=OLD)
    def submit(self, pick: int, who: str, old: bool) -> None:
        page = self.page(pick, "draft", "returned")
        self.attempt(
            lambda: self.catalogue.entries.submit(
                self.actors[who],
                self.version(page),
                seen=self.seen(page, old),
                key=self.key() if not old else f"{page.key}:submit",
            )
        )

    @precondition(lambda self: self.in_state("submitted"))
    @rule(pick=PICK, who=mostly("department"))
    def withdraw(self, pick: int, who: str) -> None:
        page = self.page(pick, "submitted")
        self.attempt(lambda: self.catalogue.entries.withdraw(self.actors[who], self.version(page)))

    @precondition(lambda self: self.in_state("submitted"))
    @rule(pick=PICK, who=mostly("bureau"), listed=st.booleans(), old=OLD)
    def send_back(self, pick: int, who: str, listed: bool, old: bool) -> None:
        page = self.page(pick, "submitted")
        found = [Defect("abstract", "returned", "摘要不清楚")] if listed else []
        self.attempt(
            lambda: self.catalogue.entries.return_for_correction(
                self.actors[who],
                self.version(page),
                reason="见问题清单",
                defects=found,
                seen=self.seen(page, old),
                key=self.key() if not old else f"{page.key}:return",
            )
        )

    @precondition(lambda self: self.in_state("submitted"))
    @rule(
        pick=PICK,
        who=mostly("bureau", "second_bureau"),
        days=st.sampled_from([None, 0, 2, -1]),
        old=OLD,
    )
    def approve(self, pick: int, who: str, days: int | None, old: bool) -> None:
        page = self.page(pick, "submitted")
        day = None if days is None else local_date(self.clock()) + timedelta(days=days)
        self.attempt(
            lambda: self.catalogue.entries.approve(
                self.actors[who],
                self.version(page),
                release_on=day,
                seen=self.seen(page, old),
                key=self.key() if not old else f"{page.key}:approve",
            )
        )

    @precondition(lambda self: self.in_state("approved"))
    @rule(pick=PICK, who=mostly("bureau", "department"))
    def call_off(self, pick: int, who: str) -> None:
        page = self.page(pick, "approved")
        self.attempt(
            lambda: cancel_release(
                self.session, self.clock, self.actors[who], self.version(page), reason="改期"
            )
        )

    @rule(days=st.integers(0, 12))
    def time_passes(self, days: int) -> None:
        self.clock.advance(days=days)
        for version_id in list_due(self.session, self.clock):
            release(self.session, self.clock, version_id)

    @precondition(lambda self: self.in_state("published"))
    @rule(pick=PICK, who=mostly("department"))
    def revise(self, pick: int, who: str) -> None:
        page = self.page(pick, "published")
        opened: list[EntryVersion] = []
        entry = self.version(page).entry
        self.attempt(lambda: opened.append(self.catalogue.entries.revise(self.actors[who], entry)))
        if opened:
            self.expected.setdefault(opened[0].id, content_of(opened[0]))
            self.pages.append(self.open(opened[0]))

    @precondition(lambda self: len(self.expected) > 1)
    @rule(pick=PICK, who=mostly("editor"))
    def discard(self, pick: int, who: str) -> None:
        page = self.page(pick, "draft")
        self.attempt(
            lambda: self.catalogue.entries.discard(
                self.actors[who], self.version(page), reason="不再需要"
            )
        )

    @precondition(lambda self: self.in_state("published"))
    @rule(pick=PICK, who=mostly("bureau"), shown=st.booleans())
    def retire(self, pick: int, who: str, shown: bool) -> None:
        page = self.page(pick, "published")
        self.attempt(
            lambda: self.catalogue.entries.retire(
                self.actors[who],
                self.version(page).entry,
                reason="停用",
                consequences_shown=shown,
            )
        )

    @precondition(lambda self: self.in_state("retired"))
    @rule(pick=PICK, who=mostly("bureau"))
    def restore(self, pick: int, who: str) -> None:
        page = self.page(pick, "retired")
        self.attempt(
            lambda: self.catalogue.entries.restore(
                self.actors[who], self.version(page).entry, reason="恢复"
            )
        )

    @rule(pick=PICK, who=mostly("reviewer"))
    def propose(self, pick: int, who: str) -> None:
        page = self.page(pick, "published")
        entry = self.version(page).entry
        self.attempt(lambda: self.catalogue.open_list.propose(self.actors[who], entry))

    @rule(pick=PICK, who=mostly("officer"), passed=st.booleans())
    def examine(self, pick: int, who: str, passed: bool) -> None:
        page = self.page(pick, "published")
        place, service = self.place(page), self.catalogue.open_list
        if place is None:
            return
        if passed:
            self.attempt(lambda: service.pass_review(self.actors[who], place, REVIEW))
        else:
            self.attempt(lambda: service.fail_review(self.actors[who], place, reason="含内部信息"))

    @rule(
        pick=PICK,
        who=mostly("reviewer", "bureau"),
        step=st.sampled_from(["publish", "suspend", "resume", "remove"]),
    )
    def move_on_the_list(self, pick: int, who: str, step: str) -> None:
        page = self.page(pick, "published")
        place, service = self.place(page), self.catalogue.open_list
        if place is None:
            return
        act = getattr(service, step)
        self.attempt(lambda: act(self.actors[who], place, reason="情况说明"))

    @rule(pick=PICK, days=st.sampled_from([None, None, 1]), again=st.integers(1, 3))
    def go_on(self, pick: int, days: int | None, again: int) -> None:
        """The next steps as they are meant, by those who may: so that far states are reached."""
        page = self.page(pick, "draft", "returned", "submitted", "published")
        version, service = self.version(page), self.catalogue.entries
        day = None if days is None else local_date(self.clock()) + timedelta(days=days)
        for _ in range(again):
            if version.state in ("draft", "returned"):
                self.attempt(lambda: service.submit(self.actors["department"], version))
            elif version.state == "submitted":
                self.attempt(
                    lambda: service.approve(self.actors["bureau"], version, release_on=day)
                )
            elif version.state == "published":
                self.go_public(page)

    def go_public(self, page: Page) -> None:
        """The whole way onto the list, as far as it goes: so that later steps are reached often."""
        version, service = self.version(page), self.catalogue.open_list
        self.attempt(lambda: service.propose(self.actors["reviewer"], version.entry))
        place = self.place(page)
        if place is None:
            return
        self.attempt(lambda: service.pass_review(self.actors["officer"], place, REVIEW))
        if place.state == "planned":
            self.attempt(lambda: self.add_link(place.entry))
            self.attempt(lambda: service.publish(self.actors["reviewer"], place, reason="先行开放"))

    def add_link(self, entry: CatalogueEntry) -> None:
        self.catalogue.distributions.add_link(
            self.actors["editor"], entry, "https://example.org/data.csv", name="文件", format="csv"
        )

    def place(self, page: Page) -> OpenListEntry | None:
        return find_open_list_entry(self.session, self.version(page).entry_id)

    # What holds whatever they did

    @invariant()
    def no_edit_is_lost(self) -> None:
        for version_id, wanted in self.expected.items():
            version = self.session.get(EntryVersion, version_id)
            assert version is not None
            assert content_of(version) == wanted

    @invariant()
    def every_step_is_a_row_and_stands_in_the_trail(self) -> None:
        self.session.flush()
        for model, flow in ((EntryVersion, FLOW_NAMES[0]), (OpenListEntry, FLOW_NAMES[1])):
            for subject_id, state in self.session.execute(select(model.id, model.state)):
                at = ""
                for event in self.trail(flow, subject_id):
                    row = FLOWS.table.find(flow, at, event.event)
                    assert row is not None, (flow, at, event.event)
                    assert (event.from_state, event.to_state) == (at, row.next_state)
                    at = event.to_state
                assert at == state

    def trail(self, flow: str, subject_id: int) -> list[AuditEvent]:
        query = select(AuditEvent).where(
            AuditEvent.flow == flow,
            AuditEvent.subject_id == subject_id,
            AuditEvent.to_state != "",
        )
        return list(self.session.scalars(query.order_by(AuditEvent.id)))

    @invariant()
    def nothing_is_public_that_another_did_not_review(self) -> None:
        entries = self.session.scalars(select(CatalogueEntry)).all()
        for entry in entries:
            versions = self.session.scalars(
                select(EntryVersion).where(EntryVersion.entry_id == entry.id)
            ).all()
            assert sum(v.state in UNFINISHED for v in versions) <= 1
            shown = [v for v in versions if v.state in ("published", "retired")]
            assert len(shown) <= 1
            assert [v.id for v in shown] == (
                [entry.published_version_id] if entry.published_version_id else []
            )
            for version in shown:
                self.check_reviewed(version)

    def check_reviewed(self, version: EntryVersion) -> None:
        events = self.trail(FLOW_NAMES[0], version.id)
        approvals = [e for e in events if e.event == "approve"]
        assert approvals
        assert approvals[-1].details["content_hash"] == version.content_hash
        assert approvals[-1].actor_id not in version.editors

    @invariant()
    def the_open_list_keeps_the_law(self) -> None:
        for place in self.session.scalars(select(OpenListEntry)):
            if place.state in ("planned", "open", "suspended"):
                assert place.reviewed_by not in (None, place.proposed_by)
                assert place.reviewed_by not in place.version.editors
            if place.state == "open":
                assert place.entry.is_public
                assert place.open_type in ("unconditional", "conditional")
                assert place.entry.published_version is not None
                assert place.entry.published_version.open_type == place.open_type

    @invariant()
    def everybody_is_told_whom_the_row_names(self) -> None:
        query = select(AuditEvent).where(
            AuditEvent.id > self.last_event, AuditEvent.flow.in_(FLOW_NAMES)
        )
        for event in self.session.scalars(query.order_by(AuditEvent.id)).all():
            self.last_event = event.id
            row = FLOWS.table.find(event.flow, event.from_state, event.event)
            if row is None:  # recorded beside the flow: announcing a removal
                continue
            told = set(
                self.session.scalars(select(Notice.account_id).where(Notice.event_id == event.id))
            )
            entry = self.session.get(CatalogueEntry, event.entry_id)
            assert entry is not None
            organisations = {
                "agency": frozenset({entry.provider_id}),
                "agency_security_officer": frozenset({entry.provider_id}),
                "responsible_dept": frozenset({entry.responsible_dept_id}),
                "bureau": None,
            }
            for name in row.audiences:
                if name in organisations:
                    meant = accounts_acting_as(self.session, name, organisations[name])
                    assert meant - {event.actor_id} <= told, (event.event, name)


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_whatever_people_do_the_flows_hold(platform: Platform) -> None:
    machine = type("OfficeOnAPlatform", (Office,), {"platform": platform})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=30,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
