"""Every row of the core's transition tables has an accepting and a refusing test.

Each case brings a subject to the row's state by the real flow, then tries the event: once so that
it must be accepted, once so that it must be refused. A row without cases fails the walk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from portal.actor import SYSTEM, Actor
from portal.clock import local_date
from portal.errors import Forbidden, GuardRefused
from portal.models import (
    CatalogueEntry,
    EntryVersion,
    Freshness,
    HarvestSource,
    IndexRequest,
    OpenListEntry,
)
from portal.platform import Platform
from portal.rules.metadata_profile import FOREIGN_1
from portal.rules.transitions import Transition
from portal.services import catalogue_flow, freshness_flow, open_list_flow, supplementary_flow
from portal.services.content import content_of, set_content
from portal.services.flow import Flow
from portal.services.freshness import find_freshness
from portal.services.index_requests import request_index
from tests.cities import CITY_AGENCY, City
from tests.factories import Catalogue, People, SetClock, conditional_content, content

ROWS = [
    *catalogue_flow.BINDING.rows,
    *freshness_flow.BINDING.rows,
    *open_list_flow.BINDING.rows,
    *supplementary_flow.BINDING.rows,
]


@dataclass
class World:
    """What the cases work with."""

    platform: Platform
    session: Session
    clock: SetClock
    people: People
    catalogue: Catalogue

    def flow(self, name: str) -> Flow:
        return Flow(name, self.session, self.clock)

    def new_version(self, *, profile: str = "jl-1", **changes: Any) -> EntryVersion:
        organisation = self.catalogue.organisation()
        service = self.catalogue.entries
        given = content(**changes)
        entry = service.new_entry(organisation, organisation, given, profile)
        request_index(self.session, self.clock, entry)
        return service.new_version(entry, given, self.people.editor)

    def source(self, *, trusted: bool = True, organisation: str = "JL-TRA") -> HarvestSource:
        source = HarvestSource(
            name=f"source-{trusted}-{organisation}",
            kind="ckan",
            url="http://example.org",
            organisation_id=self.catalogue.organisation(organisation).id,
            trusted=trusted,
            created_at=self.clock(),
        )
        self.session.add(source)
        self.session.flush()
        return source

    def retired(self, *, by_source: bool = False) -> EntryVersion:
        entry = self.catalogue.published()
        event = "source_gone" if by_source else "retire"
        actor = SYSTEM if by_source else self.people.bureau
        self.catalogue.entries.retire(
            actor, entry, reason="停用", consequences_shown=True, event=event, missing_share=0.1
        )
        return published(entry)

    def returned(self) -> EntryVersion:
        version = self.catalogue.submitted()
        self.flow("catalogue_entry").fire(
            version, "return", self.people.bureau, reason="见清单", defects=[{"field": "title"}]
        )
        return version

    def approved(self) -> EntryVersion:
        version = self.catalogue.submitted()
        self.flow("catalogue_entry").fire(version, "approve", self.people.bureau)
        return version

    def planned_release(self, *, days: int = 3) -> EntryVersion:
        version = self.catalogue.submitted()
        day = local_date(self.clock()) + timedelta(days=days)
        return self.catalogue.entries.approve(self.people.bureau, version, release_on=day)

    def freshness(self, state: str) -> Freshness:
        entry = self.catalogue.published()
        found = find_freshness(self.session, entry.id)
        assert found is not None
        if state in ("due", "overdue"):
            self.clock.advance(days=40)
            found.due_at = self.clock()
            self.flow("freshness").fire(found, "period_elapsed", SYSTEM)
        if state == "overdue":
            self.clock.advance(days=30)
            self.flow("freshness").fire(found, "grace_elapsed", SYSTEM)
        if state == "stopped":
            entry.retired_at = self.clock()
            self.flow("freshness").fire(found, "entry_retired", SYSTEM)
        return found

    def place(self, entry: CatalogueEntry) -> OpenListEntry:
        version = published(entry)
        return OpenListEntry(
            entry=entry,
            entry_id=entry.id,
            version=version,
            version_id=version.id,
            open_type=version.open_type,
            proposed_at=self.clock(),
        )

    def suspended(self, *, by: Actor | None = None) -> OpenListEntry:
        place = self.catalogue.opened()
        self.catalogue.open_list.suspend(by or self.people.agency_reviewer, place, reason="核查")
        return place


def published(entry: CatalogueEntry) -> EntryVersion:
    version = entry.published_version
    assert version is not None
    return version


Case = Callable[[World, Transition], tuple[Any, Actor, dict[str, Any]]]
"""Returns the subject in the row's state, who tries the event, and the event's facts."""

ACCEPTED: dict[tuple[str, str, str], Case] = {}
REFUSED: dict[tuple[str, str, str], Case] = {}


def both(flow: str, state: str, event: str, *, good: Case, bad: Case) -> None:
    ACCEPTED[flow, state, event] = good
    REFUSED[flow, state, event] = bad


F1 = "catalogue_entry"
INCOMPLETE: dict[str, Any] = {"abstract": "短"}


def _with(version: EntryVersion, **changes: Any) -> EntryVersion:
    set_content(version, replace(content_of(version), **changes))
    return version


both(
    F1,
    "",
    "create",
    good=lambda w, _: (w.new_version(), w.people.editor, {}),
    bad=lambda w, _: (w.new_version(), w.people.stranger, {}),
)
for state, make in (("draft", lambda w: w.catalogue.draft()), ("returned", lambda w: w.returned())):
    both(
        F1,
        state,
        "save",
        good=lambda w, _, make=make: (make(w), w.people.editor, {}),
        bad=lambda w, _, make=make: (make(w), w.people.stranger, {}),
    )
both(
    F1,
    "draft",
    "submit",
    good=lambda w, _: (w.catalogue.draft(), w.people.department, {}),
    bad=lambda w, _: (w.catalogue.draft(content(**INCOMPLETE)), w.people.department, {}),
)
both(
    F1,
    "submitted",
    "withdraw_submission",
    good=lambda w, _: (w.catalogue.submitted(), w.people.department, {}),
    bad=lambda w, _: (w.catalogue.submitted(), w.people.editor, {}),
)
both(
    F1,
    "approved",
    "cancel_release",
    good=lambda w, _: (w.planned_release(), w.people.department, {"reason": "改期"}),
    bad=lambda w, _: (w.approved(), w.people.bureau, {"reason": "没有定期"}),
)
both(
    F1,
    "submitted",
    "return",
    good=lambda w, _: (
        w.catalogue.submitted(),
        w.people.bureau,
        {"reason": "见清单", "defects": [1]},
    ),
    bad=lambda w, _: (w.catalogue.submitted(), w.people.bureau, {"reason": "见清单"}),
)
both(
    F1,
    "submitted",
    "approve",
    good=lambda w, _: (w.catalogue.submitted(), w.people.bureau, {}),
    bad=lambda w, _: (_edited_by(w.catalogue.submitted(), w.people.bureau), w.people.bureau, {}),
)
both(
    F1,
    "returned",
    "resubmit",
    good=lambda w, _: (w.returned(), w.people.department, {}),
    bad=lambda w, _: (_with(w.returned(), **INCOMPLETE), w.people.department, {}),
)
both(
    F1,
    "approved",
    "publish",
    good=lambda w, _: (_requested(w, w.approved()), SYSTEM, {}),
    bad=lambda w, _: (_forgotten(w, w.approved()), SYSTEM, {}),
)
both(
    F1,
    "published",
    "revise",
    good=lambda w, _: (published(w.catalogue.published()), w.people.department, {}),
    bad=lambda w, _: (_being_revised(w), w.people.department, {}),
)
both(
    F1,
    "published",
    "supersede",
    good=lambda w, _: _newer(w, later=True),
    bad=lambda w, _: _newer(w, later=False),
)
both(
    F1,
    "published",
    "retire",
    good=lambda w, _: (
        published(w.catalogue.published()),
        w.people.bureau,
        {"reason": "停用", "consequences_shown": True},
    ),
    bad=lambda w, _: (published(w.catalogue.published()), w.people.bureau, {"reason": "停用"}),
)
both(
    F1,
    "retired",
    "restore",
    good=lambda w, _: (w.retired(), w.people.bureau, {"reason": "恢复"}),
    bad=lambda w, _: (w.retired(), w.people.bureau, {}),
)
both(
    F1,
    "draft",
    "discard",
    good=lambda w, _: (w.catalogue.draft(), w.people.editor, {"reason": "重复"}),
    bad=lambda w, _: (w.catalogue.draft(), w.people.editor, {}),
)
both(
    F1,
    "",
    "import",
    good=lambda w, _: (
        w.new_version(profile=FOREIGN_1),
        w.people.admin,
        {"reason": "迁移", "source": "api"},
    ),
    bad=lambda w, _: (
        w.new_version(profile=FOREIGN_1),
        w.people.bureau,
        {"reason": "迁移", "source": "api"},
    ),
)
both(
    F1,
    "",
    "harvest",
    good=lambda w, _: (w.new_version(profile=FOREIGN_1), SYSTEM, {"source": w.source()}),
    bad=lambda w, _: (
        w.new_version(profile=FOREIGN_1),
        SYSTEM,
        {"source": w.source(trusted=False)},
    ),
)
both(
    F1,
    "",
    "harvest_draft",
    good=lambda w, _: (
        w.new_version(profile=FOREIGN_1),
        SYSTEM,
        {"source": w.source(trusted=False)},
    ),
    bad=lambda w, _: (w.new_version(profile=FOREIGN_1), SYSTEM, {}),
)
both(
    F1,
    "published",
    "update_from_source",
    good=lambda w, _: _update(w, title="来源的新名称"),
    bad=lambda w, _: _update(w, open_type="none", closed_ground=("privacy",)),
)
both(
    F1,
    "published",
    "source_gone",
    good=lambda w, _: (published(w.catalogue.published()), SYSTEM, {"missing_share": 0.2}),
    bad=lambda w, _: (published(w.catalogue.published()), SYSTEM, {"missing_share": 0.21}),
)
both(
    F1,
    "retired",
    "source_back",
    good=lambda w, _: (w.retired(by_source=True), SYSTEM, {}),
    bad=lambda w, _: (w.retired(), SYSTEM, {}),
)


def _edited_by(version: EntryVersion, actor: Actor) -> EntryVersion:
    assert actor.account_id is not None
    version.editors = [*version.editors, actor.account_id]
    return version


def _requested(w: World, version: EntryVersion) -> EntryVersion:
    request_index(w.session, w.clock, version.entry)
    return version


def _forgotten(w: World, version: EntryVersion) -> EntryVersion:
    w.session.execute(delete(IndexRequest))
    return version


def _being_revised(w: World) -> EntryVersion:
    entry = w.catalogue.published()
    w.catalogue.entries.revise(w.people.department, entry)
    return published(entry)


def _newer(w: World, *, later: bool) -> tuple[Any, Actor, dict[str, Any]]:
    entry = w.catalogue.published()
    newer = w.catalogue.entries.new_version(entry, content(), w.people.editor)
    if not later:
        newer.number = 1
    return published(entry), SYSTEM, {"newer": newer}


def _update(w: World, **changes: Any) -> tuple[Any, Actor, dict[str, Any]]:
    entry = w.catalogue.published()
    after = w.catalogue.entries.new_version(
        entry, replace(content_of(published(entry)), **changes), SYSTEM
    )
    return published(entry), SYSTEM, {"after": after}


F2 = "freshness"


def _fresh_row(w: World, frequency: str) -> Freshness:
    entry = w.catalogue.published(content(update_frequency="never"))
    version = published(entry)
    version.update_frequency = frequency
    return Freshness(entry=entry, entry_id=entry.id, updated_at=w.clock())


def _after(w: World, freshness: Freshness, **elapsed: float) -> tuple[Any, Actor, dict[str, Any]]:
    w.clock.advance(**elapsed)
    return freshness, SYSTEM, {}


def _retired_entry(w: World, state: str) -> tuple[Any, Actor, dict[str, Any]]:
    freshness = w.freshness(state)
    freshness.entry.retired_at = w.clock()
    return freshness, SYSTEM, {}


def _restored_entry(w: World) -> tuple[Any, Actor, dict[str, Any]]:
    freshness = w.freshness("stopped")
    freshness.entry.retired_at = None
    return freshness, SYSTEM, {}


both(
    F2,
    "",
    "start",
    good=lambda w, _: (_fresh_row(w, "monthly"), SYSTEM, {}),
    bad=lambda w, _: (_fresh_row(w, "irregular"), SYSTEM, {}),
)
both(
    F2,
    "current",
    "period_elapsed",
    good=lambda w, _: _after(w, w.freshness("current"), days=40),
    bad=lambda w, _: _after(w, w.freshness("current"), days=3),
)
both(
    F2,
    "due",
    "grace_elapsed",
    good=lambda w, _: _after(w, w.freshness("due"), days=30),
    bad=lambda w, _: _after(w, w.freshness("due"), days=1),
)
both(
    F2,
    "overdue",
    "escalate",
    good=lambda w, _: _after(w, w.freshness("overdue"), days=30),
    bad=lambda w, _: _after(w, w.freshness("overdue"), days=1),
)
for state in ("due", "overdue"):
    both(
        F2,
        state,
        "data_updated",
        good=lambda w, _, state=state: (
            w.freshness(state),
            w.people.editor,
            {"table_state": "ready"},
        ),
        bad=lambda w, _, state=state: (
            w.freshness(state),
            w.people.editor,
            {"table_state": "failed"},
        ),
    )
for state in ("current", "due", "overdue"):
    both(
        F2,
        state,
        "entry_retired",
        good=lambda w, _, state=state: _retired_entry(w, state),
        bad=lambda w, _, state=state: (w.freshness(state), SYSTEM, {}),
    )
both(
    F2,
    "stopped",
    "entry_restored",
    good=lambda w, _: _restored_entry(w),
    bad=lambda w, _: (w.freshness("stopped"), SYSTEM, {}),
)

F4 = "open_list_entry"
CHECKED = {"review": {"confidential": "否"}}


def _ready(w: World, place: OpenListEntry) -> OpenListEntry:
    w.catalogue.file(place.entry)
    return place


def _noticed(w: World, days: int) -> tuple[Any, Actor, dict[str, Any]]:
    place = w.catalogue.opened()
    w.catalogue.open_list.announce_removal(w.people.agency_reviewer, place, reason="停用")
    w.clock.advance(days=days)
    return place, w.people.agency_reviewer, {"reason": "停用"}


def _retyped(w: World, *, changed: bool) -> tuple[Any, Actor, dict[str, Any]]:
    place = w.catalogue.opened()
    if changed:
        published(place.entry).open_type = "conditional"
    return place, w.people.agency_reviewer, {}


def _own_proposal(w: World) -> OpenListEntry:
    place = w.catalogue.proposed()
    place.proposed_by = w.people.security_officer.account_id
    return place


def _harvested_place(w: World, **source: Any) -> tuple[Any, Actor, dict[str, Any]]:
    return w.place(w.catalogue.published()), SYSTEM, {"source": w.source(**source)}


both(
    F4,
    "",
    "propose",
    good=lambda w, _: (w.place(w.catalogue.published()), w.people.editor, {}),
    bad=lambda w, _: (
        w.place(w.catalogue.published(content(acquisition_method="shared"))),
        w.people.editor,
        {},
    ),
)
both(
    F4,
    "proposed",
    "pass_review",
    good=lambda w, _: (w.catalogue.proposed(), w.people.security_officer, CHECKED),
    bad=lambda w, _: (_own_proposal(w), w.people.security_officer, CHECKED),
)
both(
    F4,
    "proposed",
    "fail_review",
    good=lambda w, _: (w.catalogue.proposed(), w.people.security_officer, {"reason": "涉密"}),
    bad=lambda w, _: (w.catalogue.proposed(), w.people.security_officer, {}),
)
both(
    F4,
    "planned",
    "publish",
    good=lambda w, _: (_ready(w, w.catalogue.planned()), w.people.agency_reviewer, {}),
    bad=lambda w, _: (w.catalogue.planned(conditional_content()), w.people.agency_reviewer, {}),
)
both(
    F4,
    "open",
    "change_type",
    good=lambda w, _: _retyped(w, changed=True),
    bad=lambda w, _: _retyped(w, changed=False),
)
both(
    F4,
    "open",
    "suspend",
    good=lambda w, _: (w.catalogue.opened(), w.people.bureau, {"reason": "异议"}),
    bad=lambda w, _: (w.catalogue.opened(), w.people.bureau, {}),
)
both(
    F4,
    "suspended",
    "resume",
    good=lambda w, _: (w.suspended(), w.people.agency_reviewer, {"reason": "已核查"}),
    bad=lambda w, _: (
        w.suspended(by=w.people.bureau),
        w.people.agency_reviewer,
        {"reason": "已核查"},
    ),
)
both(F4, "open", "remove", good=lambda w, _: _noticed(w, 14), bad=lambda w, _: _noticed(w, 13))
both(
    F4,
    "suspended",
    "remove",
    good=lambda w, _: (w.suspended(), w.people.bureau, {"reason": "停用"}),
    bad=lambda w, _: (w.suspended(), w.people.bureau, {}),
)
both(
    F4,
    "",
    "import",
    good=lambda w, _: (
        w.place(w.catalogue.published()),
        w.people.admin,
        {"reason": "迁移", "source": "api"},
    ),
    bad=lambda w, _: (w.place(w.catalogue.published()), w.people.admin, {"reason": "迁移"}),
)
both(
    F4,
    "",
    "harvest",
    good=lambda w, _: _harvested_place(w),
    bad=lambda w, _: _harvested_place(w, organisation="JL-HEA"),
)
for state, make in (
    ("open", lambda w: w.catalogue.opened()),
    ("suspended", lambda w: w.suspended()),
):
    both(
        F4,
        state,
        "entry_retired",
        good=lambda w, _, make=make: (_mark_retired(w, make(w)), SYSTEM, {}),
        bad=lambda w, _, make=make: (make(w), SYSTEM, {}),
    )


def _mark_retired(w: World, place: OpenListEntry) -> OpenListEntry:
    place.entry.retired_at = w.clock() - timedelta(seconds=1)
    return place


F3 = "supplementary_entry"


def _city_version(
    w: World, state: str = "draft", *, provider: str = CITY_AGENCY, **changes: Any
) -> EntryVersion:
    """Return a city's version, brought to the state by the flow itself."""
    city = City(w.session, w.clock, w.people)
    version = city.new_version(provider=provider, **changes)
    if state == "new":
        return version
    w.flow(F3).create(version, "create", city.editor)
    if state in ("submitted", "published"):
        w.flow(F3).fire(version, "submit", city.editor)
    if state == "published":
        w.flow(F3).fire(version, "publish", city.authority, nearest=[], dismissed={})
        version.entry.published_version = version
    return version


def _city(w: World) -> City:
    return City(w.session, w.clock, w.people)


def _near(w: World, reason: str) -> dict[str, Any]:
    near = published(w.catalogue.published())
    return {"nearest": [near], "dismissed": {near.entry_id: reason}}


both(
    F3,
    "",
    "create",
    good=lambda w, _: (_city_version(w, "new"), _city(w).editor, {}),
    bad=lambda w, _: (_city_version(w, "new", region="220200"), _city(w).editor, {}),
)
both(
    F3,
    "draft",
    "submit",
    good=lambda w, _: (_city_version(w), _city(w).editor, {}),
    bad=lambda w, _: (_city_version(w, **INCOMPLETE), _city(w).editor, {}),
)
both(
    F3,
    "submitted",
    "publish",
    good=lambda w, _: (_city_version(w, "submitted"), _city(w).authority, _near(w, "范围不同")),
    bad=lambda w, _: (_city_version(w, "submitted"), _city(w).authority, _near(w, " ")),
)
both(
    F3,
    "submitted",
    "return",
    good=lambda w, _: (_city_version(w, "submitted"), _city(w).authority, {"reason": "省里已有"}),
    bad=lambda w, _: (_city_version(w, "submitted"), _city(w).authority, {}),
)
both(
    F3,
    "published",
    "absorb",
    good=lambda w, _: (
        _city_version(w, "published"),
        w.people.bureau,
        {"provincial": w.catalogue.published()},
    ),
    bad=lambda w, _: (
        _city_version(w, "published"),
        w.people.bureau,
        {"provincial": w.catalogue.draft().entry},
    ),
)
both(
    F3,
    "published",
    "retire",
    good=lambda w, _: (_city_version(w, "published"), _city(w).authority, {"reason": "停用"}),
    bad=lambda w, _: (_city_version(w, "published"), _city(w).authority, {}),
)


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def world(
    platform: Platform, session: Session, clock: SetClock, people: People, catalogue: Catalogue
) -> World:
    return World(platform, session, clock, people, catalogue)


def _try(world: World, row: Transition, case: Case) -> Any:
    subject, actor, facts = case(world, row)
    flow = world.flow(row.flow)
    if row.state:
        assert subject.state == row.state
        flow.fire(subject, row.event, actor, **facts)
    else:
        flow.create(subject, row.event, actor, **facts)
    return subject


def _name(row: Transition) -> str:
    return f"{row.flow}-{row.state or 'new'}-{row.event}"


def test_the_cases_cover_the_tables() -> None:
    keys = {row.key for row in ROWS}
    assert ACCEPTED.keys() == keys
    assert REFUSED.keys() == keys


@pytest.mark.parametrize("row", ROWS, ids=_name)
def test_a_row_accepts_what_it_allows(world: World, row: Transition) -> None:
    subject = _try(world, row, ACCEPTED[row.key])
    assert subject.state == row.next_state


@pytest.mark.parametrize("row", ROWS, ids=_name)
def test_a_row_refuses_what_it_does_not_allow(world: World, row: Transition) -> None:
    with pytest.raises((GuardRefused, Forbidden)):
        _try(world, row, REFUSED[row.key])


@pytest.mark.parametrize("row", [row for row in ROWS if row.state], ids=_name)
def test_a_row_refuses_every_actor_it_does_not_name(world: World, row: Transition) -> None:
    subject, _actor, facts = ACCEPTED[row.key](world, row)
    outsider = world.people.actor("auditor", "JL-BUR")
    with pytest.raises(Forbidden):
        world.flow(row.flow).fire(subject, row.event, outsider, **facts)
    assert subject.state == row.state
