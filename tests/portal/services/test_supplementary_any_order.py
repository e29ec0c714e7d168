"""Whatever several people try in whatever order, a city's entry moves by flow F3 alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from portal.actor import Actor
from portal.errors import Forbidden, IllegalEvent, Invalid
from portal.models import AuditEvent, EntryVersion, Notice
from portal.platform import Platform
from portal.services.entries import EntryService
from portal.services.supplementary import SupplementaryService
from portal.services.supplementary_flow import BINDING
from tests.cities import City
from tests.factories import Catalogue, People

WHO = ("editor", "authority", "bureau", "stranger")
WHAT = ("save", "submit", "publish", "return", "absorb", "retire", "approve")
RIGHT = (
    ("editor", "submit"), ("authority", "publish"), ("authority", "return"),
    ("bureau", "absorb"), ("authority", "retire"),
)  # fmt: skip
STEP = st.one_of(
    st.sampled_from(RIGHT), st.tuples(st.sampled_from(WHO), st.sampled_from(WHAT))
)  # half of the steps are ones that may go on, so that the far states are reached
STEPS = st.lists(STEP, min_size=1, max_size=12)
ALLOWED = {(row.state, row.event): row.next_state for row in BINDING.rows}
ACTORS = {
    "save": {"editor"}, "submit": {"editor"}, "publish": {"authority"}, "return": {"authority"},
    "absorb": {"bureau"}, "retire": {"authority"}, "approve": set[str](),
}  # fmt: skip


class Play:
    """One entry of a city in one transaction, and the people around it."""

    def __init__(self, platform: Platform, session: Any) -> None:
        self.session = session
        people = People(platform, session)
        city = City(session, platform.clock, people)
        self.who: dict[str, Actor] = {
            "editor": city.editor,
            "authority": city.authority,
            "bureau": people.bureau,
            "stranger": people.stranger,
        }
        self.provincial = Catalogue(platform, session, people).published()
        self.service = SupplementaryService(session, platform.clock, platform.engine)
        self.entries = EntryService(session, platform.clock)
        self.city, self.saves = city, 0
        self.version = self.service.create(city.editor, city.organisation(), city.content())

    def act(self, actor: Actor, what: str) -> None:
        version = self.version
        self.saves += 1
        calls: dict[str, Callable[[], object]] = {
            "save": lambda: self.entries.save(
                actor, version, self.city.content(title=f"长春市公交班次第{self.saves}号")
            ),
            "submit": lambda: self.service.submit(actor, version),
            "publish": lambda: self.service.publish(actor, version, {}),
            "return": lambda: self.service.return_for_correction(actor, version, reason="补充"),
            "absorb": lambda: self.service.absorb(actor, version, self.provincial),
            "retire": lambda: self.service.retire(actor, version, reason="停用"),
            "approve": lambda: self.entries.approve(actor, version),
        }
        calls[what]()

    def events(self) -> int:
        counted = select(func.count(AuditEvent.id)).where(
            AuditEvent.subject_id == self.version.id,
            AuditEvent.flow.in_(("supplementary_entry", "catalogue_entry")),
        )
        return self.session.scalar(counted) or 0

    def told(self, who: str) -> int:
        account = self.who[who].account_id
        counted = select(func.count(Notice.id)).where(Notice.account_id == account)
        return self.session.scalar(counted) or 0


@pytest.mark.parametrize("database_kind", ["sqlite"])
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_no_order_of_tries_breaks_the_flow(
    make_platform: Callable[..., Platform], steps: list[tuple[str, str]], database_kind: str
) -> None:
    platform = _platform(make_platform, database_kind)
    with platform.database.writing_session() as session:
        play = Play(platform, session)
        for who, what in steps:
            _step(play, who, what)
        _check_end(play)
        session.rollback()


_kept: dict[int, Platform] = {}


def _platform(make: Callable[..., Platform], kind: str) -> Platform:
    """One platform for all examples of the test; each example rolls back."""
    if id(make) not in _kept:
        _kept.clear()
        _kept[id(make)] = make(kind)
    return _kept[id(make)]


def _step(play: Play, who: str, what: str) -> None:
    before, events = play.version.state, play.events()
    expected = before if what == "save" and before == "draft" else ALLOWED.get((before, what))
    told = play.told("bureau")
    try:
        play.act(play.who[who], what)
    except (Forbidden, IllegalEvent, Invalid):
        assert play.version.state == before
        assert play.events() == events  # nothing happened that is not written down, or the reverse
        assert who not in ACTORS[what] or expected is None
        return
    assert who in ACTORS[what]
    assert play.version.state == expected
    assert play.events() == events + 1
    if what in ("publish", "retire"):
        assert play.told("bureau") > told


def _check_end(play: Play) -> None:
    version: EntryVersion = play.version
    entry = version.entry
    assert entry.is_public == (version.state == "published")
    assert version.state in BINDING.state_labels
    if version.state in ("published", "absorbed", "retired"):
        publisher = play.session.scalar(
            select(AuditEvent.actor_id).where(
                AuditEvent.subject_id == version.id, AuditEvent.event == "publish",
                AuditEvent.flow == "supplementary_entry",
            )
        )  # fmt: skip
        assert publisher is not None
        assert publisher not in version.editors
