"""The read models behind the work pages, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from portal.errors import Forbidden, GuardRefused, Invalid
from portal.models import CatalogueEntry
from portal.platform import Platform
from portal.services.entry_list import LISTED, EntryFilter, list_entries
from portal.services.freshness import FreshnessService, find_freshness
from portal.services.second_look import take_second_look
from portal.services.timeline import EventFilter, chain_state, known_events, list_events, timeline
from portal.services.value_confirmation import confirm_value
from portal.services.work_list import WorkList
from tests.factories import Catalogue, People, SetClock, content


def kinds(session: Session, platform: Platform, actor: object) -> list[str]:
    rows = WorkList(session, platform.clock, actor).rows()  # type: ignore[arg-type]
    return [row.kind for row in rows]


def test_each_kind_of_work(
    platform: Platform, session: Session, catalogue: Catalogue, people: People, clock: SetClock
) -> None:
    catalogue.draft()
    catalogue.submitted()
    catalogue.proposed()
    catalogue.planned()
    entry = catalogue.published(content(update_frequency="daily"))
    clock.advance(days=3)
    freshness = find_freshness(session, entry.id)
    assert freshness is not None
    assert FreshnessService(session, clock).tick(freshness)
    session.flush()
    assert sorted(kinds(session, platform, people.editor)) == ["draft", "overdue", "planned"]
    assert kinds(session, platform, people.security_officer) == ["proposed"]
    assert kinds(session, platform, people.bureau) == ["submitted"]
    assert kinds(session, platform, people.stranger) == []


def test_the_entry_list_takes_every_filter(
    session: Session, catalogue: Catalogue, people: People
) -> None:
    catalogue.draft(content(title="甲_%"))
    catalogue.opened(content(title="乙"))
    for actor, total in ((people.editor, 2), (people.bureau, 2), (people.stranger, 0)):
        assert list_entries(session, actor, EntryFilter(), limit=10, offset=0)[1] == total
    rows, total = list_entries(session, people.editor, EntryFilter(words="_%"), limit=9, offset=0)
    assert (total, rows[0].title) == (1, "甲_%")
    for listed in LISTED:
        chosen = EntryFilter(listed=listed, open_type="unconditional")
        _, total = list_entries(session, people.editor, chosen, limit=10, offset=0)
        assert total == {"none": 1, "open": 1}.get(listed, 0)


def test_events_in_words(
    platform: Platform, session: Session, catalogue: Catalogue, clock: SetClock
) -> None:
    entry = catalogue.published()
    session.flush()
    words = [e.event for e in timeline(session, entry.id)]
    assert words[-3:] == ["审核通过", "提交审核", "新建"]
    since = clock() - timedelta(hours=1)
    chosen = EventFilter(
        flow="catalogue_entry", event="approve", since=since, before=clock() + timedelta(hours=1)
    )
    events, total = list_events(session, chosen, limit=10, offset=0)
    assert (total, events[0].in_time) == (1, True)
    assert list_events(session, EventFilter(late_only=True), limit=1, offset=0)[1] == 0
    assert ("catalogue_entry", "approve") in known_events(session)
    assert chain_state(session).unsealed > 0


def imported(catalogue: Catalogue, people: People) -> CatalogueEntry:
    given = content()
    place = catalogue.organisation()
    entry = catalogue.entries.new_entry(place, place, given, "foreign-1")
    catalogue.entries.publish_directly(
        people.admin, entry, given, "import", reason="试", source="x"
    )
    return entry


def test_the_second_look_is_another_persons(
    session: Session, catalogue: Catalogue, people: People, clock: SetClock
) -> None:
    entry = imported(catalogue, people)
    with pytest.raises(GuardRefused):
        take_second_look(session, clock, people.admin, entry)
    with pytest.raises(Forbidden):
        take_second_look(session, clock, people.editor, entry)
    assert take_second_look(session, clock, people.bureau, entry)
    assert not take_second_look(session, clock, people.bureau, entry)


def test_value_is_confirmed_for_published_entries_only(
    session: Session, catalogue: Catalogue, people: People, clock: SetClock
) -> None:
    draft = catalogue.draft().entry
    with pytest.raises(Invalid):
        confirm_value(
            session, clock, people.bureau, draft, livelihood=True, high_value=False, reason="x"
        )
    with pytest.raises(Forbidden):
        confirm_value(
            session, clock, people.editor, draft, livelihood=True, high_value=False, reason="x"
        )
