"""Every row of flow F17 accepts what it should and refuses what it should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import set_committed_value

from extensions.participation.flow import BINDING, FLOW, TABLE
from extensions.participation.models import DataDemand, DemandVote
from extensions.participation.models.demand import count_votes
from extensions.participation.services.demands import Similar, SimilarEntry
from extensions.participation.services.moderation import review
from extensions.participation.services.timers import run_timers
from portal.actor import ANONYMOUS, SYSTEM
from portal.errors import Forbidden, GuardRefused, IllegalEvent, TooManyRequests, Unauthenticated
from portal.models import Deadline, Notice
from portal.models.audit import AuditEvent
from portal.models.organisation import get_organisation
from portal.platform import Platform
from portal.services.deadlines import list_open_deadlines
from portal.services.flow import Flow
from tests.extensions.participation.conftest import TEXT, Demands
from tests.factories import TRANSPORT, Catalogue, People, SetClock

Case = Callable[[Demands], object]
BOTH = pytest.mark.parametrize(
    "database_kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)


def _file(d: Demands, **changes: str) -> DataDemand:
    text = replace(TEXT, **changes)
    return d.service.file(d.people.applicant, text, similar=Similar(), seen=())


def _unseen(d: Demands) -> object:
    similar = Similar((SimilarEntry(1, "bus", "公交站点", "交通厅"),))
    return d.service.file(d.people.applicant, TEXT, similar=similar, seen=["d1"])


def _twice(d: Demands) -> None:
    demand = d.file()
    d.service.vote(d.voter, demand)
    d.service.vote(d.voter, demand)


def _assign(d: Demands, code: str = TRANSPORT) -> DataDemand:
    demand = d.file()
    d.service.assign(d.people.bureau, demand, get_organisation(d.session, code))
    return demand


def _plan(d: Demands, *, days: int) -> object:
    demand, place = d.assigned(), d.catalogue.planned()
    day = d.clock().date() + timedelta(days=days)
    return d.service.answer_planned(d.people.agency_reviewer, demand, place, day)


def _merge(d: Demands, *, into_itself: bool = False) -> None:
    target = d.file()
    demand = target if into_itself else d.file()
    d.service.merge(d.people.bureau, demand, target)


def _fulfil(d: Demands, *, opened: bool) -> None:
    demand, place = d.planned()
    if opened:
        d.catalogue.file(place.entry)
        d.catalogue.open_list.publish(d.people.agency_reviewer, place)
    d.service.fulfil(demand)


ACCEPTED: dict[tuple[str, str], Case] = {
    ("", "file"): _file,
    ("open", "vote"): lambda d: d.service.vote(d.voter, d.file()),
    ("open", "assign"): _assign,
    ("open", "merge"): _merge,
    ("assigned", "answer_planned"): lambda d: _plan(d, days=30),
    ("assigned", "answer_exists"): lambda d: d.service.answer_exists(
        d.people.editor, d.assigned(), d.catalogue.opened().entry
    ),
    ("assigned", "answer_no"): lambda d: d.service.answer_no(
        d.people.editor, d.assigned(), "privacy", reason="含个人行程"
    ),
    ("planned", "fulfil"): lambda d: _fulfil(d, opened=True),
}
REFUSED: dict[tuple[str, str], list[Case]] = {
    ("", "file"): [
        lambda d: _file(d, purpose="短"),
        _unseen,
        lambda d: _file(d, theme="no_such_theme"),
    ],
    ("open", "vote"): [
        _twice,
        lambda d: d.service.vote(d.people.stranger, d.file()),
        lambda d: d.service.vote(d.voter, d.file(shown=False)),
    ],
    ("open", "assign"): [
        lambda d: d.service.assign(d.people.bureau, d.file(), None),
        lambda d: _assign(d, "JL-BUR"),
        lambda d: d.service.assign(
            d.people.editor, d.file(), get_organisation(d.session, TRANSPORT)
        ),
    ],
    ("open", "merge"): [
        lambda d: _merge(d, into_itself=True),
        lambda d: d.service.merge(d.people.bureau, d.file(), None),
    ],
    ("assigned", "answer_planned"): [
        lambda d: _plan(d, days=-1),
        lambda d: d.service.answer_planned(d.people.editor, d.assigned(), None, d.clock().date()),
        lambda d: d.service.answer_planned(
            d.people.stranger, d.assigned(), d.catalogue.planned(), d.clock().date()
        ),
    ],
    ("assigned", "answer_exists"): [
        lambda d: d.service.answer_exists(d.people.editor, d.assigned(), d.catalogue.published()),
        lambda d: d.service.answer_exists(
            d.people.bureau, d.assigned(), d.catalogue.opened().entry
        ),
    ],
    ("assigned", "answer_no"): [
        lambda d: d.service.answer_no(d.people.editor, d.assigned(), "privacy", reason=""),
        lambda d: d.service.answer_no(d.people.editor, d.assigned(), "lazy", reason="不想"),
    ],
    ("planned", "fulfil"): [lambda d: _fulfil(d, opened=False)],
}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.state or 'new'}-{row.event}")
def test_every_row_accepts(demands: Demands, row: object) -> None:
    ACCEPTED[row.state, row.event](demands)  # type: ignore[attr-defined]
    demands.session.flush()
    moved = select(AuditEvent.id).where(
        AuditEvent.flow == FLOW,
        AuditEvent.event == row.event,  # type: ignore[attr-defined]
        AuditEvent.from_state == row.state,  # type: ignore[attr-defined]
        AuditEvent.to_state == row.next_state,  # type: ignore[attr-defined]
    )
    assert demands.session.scalars(moved).first() is not None


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.state or 'new'}-{row.event}")
def test_every_row_refuses(demands: Demands, row: object) -> None:
    for case in REFUSED[row.state, row.event]:  # type: ignore[attr-defined]
        with pytest.raises((GuardRefused, Forbidden)):
            case(demands)


def test_what_the_table_does_not_list_is_refused(demands: Demands) -> None:
    for state in ("open", "assigned", "planned"):
        demand = demands.at(state)
        listed = {row.event for row in TABLE if row.state == state}
        for event in set(BINDING.event_labels) - listed:
            with pytest.raises(IllegalEvent):
                Flow(FLOW, demands.session, demands.clock).fire(demand, event, SYSTEM)


def test_a_visitor_without_an_account_files_and_votes_for_nothing(demands: Demands) -> None:
    with pytest.raises(Unauthenticated):
        demands.service.vote(ANONYMOUS, demands.file())


def test_the_deadlines_are_five_and_fifteen_working_days(demands: Demands) -> None:
    demand = demands.file()
    [desk] = list_open_deadlines(demands.session, FLOW, demand.id)
    assert (desk.working_days, desk.actor_kind, desk.source) == (5, "bureau", "P")
    agency = get_organisation(demands.session, TRANSPORT)
    demands.service.assign(demands.people.bureau, demand, agency)
    [answer] = list_open_deadlines(demands.session, FLOW, demand.id)
    assert (answer.working_days, answer.organisation_id) == (15, agency.id)
    assert set(answer.events.split()) == {"answer_planned", "answer_exists", "answer_no"}


def test_a_hidden_demand_binds_nobody_and_is_not_voted_for(demands: Demands) -> None:
    demand = demands.file()
    review(demands.session, demands.clock, demands.people.bureau, demand, "hidden", reason="广告")
    assert list_open_deadlines(demands.session, FLOW, demand.id) == []
    with pytest.raises(GuardRefused):
        demands.service.vote(demands.voter, demand)


def test_filer_and_voters_hear_of_the_answer(demands: Demands) -> None:
    demand = demands.assigned()
    demands.service.answer_no(demands.people.editor, demand, "law", reason="涉密")
    told = set(
        demands.session.scalars(select(Notice.account_id).where(Notice.text.contains("涉密")))
    )
    assert told == {demand.author_id, demands.voter.account_id}


def test_the_filer_asked_and_counts_as_the_first_vote(demands: Demands) -> None:
    demand = demands.file()
    assert count_votes(demands.session, [demand.id]) == {demand.id: 1}


@BOTH
def test_merging_moves_votes_and_counts_nobody_twice(demands: Demands) -> None:
    target, demand = demands.file(), demands.file()
    demands.service.vote(demands.voter, demand)
    demands.service.merge(demands.people.bureau, demand, target)
    assert count_votes(demands.session, [target.id, demand.id]) == {target.id: 2}
    with pytest.raises(GuardRefused):
        demands.service.merge(demands.people.bureau, demands.file(), demand)


@BOTH
def test_two_votes_at_one_moment_both_count(demands: Demands) -> None:
    demand = demands.file()
    demands.session.flush()
    demands.session.expire(demand)
    demand.row_version  # noqa: B018 - what the slower voter has read
    other = demands.people.actor("applicant", number=3)
    demands.service.vote(demands.voter, demand)
    set_committed_value(demand, "row_version", demand.row_version - 1)
    demands.service.vote(other, demand)
    assert count_votes(demands.session, [demand.id]) == {demand.id: 3}


@BOTH
def test_the_database_itself_refuses_a_second_vote(demands: Demands) -> None:
    demand = demands.file()
    table = DemandVote.__table__
    values = {
        "demand_id": demand.id,
        "account_id": demand.author_id,
        "voted_at": demands.clock(),
    }
    with pytest.raises(IntegrityError), demands.session.begin_nested():
        demands.session.execute(table.insert().values(**values))


def test_more_than_five_demands_a_day_are_refused(demands: Demands) -> None:
    for _ in range(5):
        _file(demands)
    with pytest.raises(TooManyRequests):
        _file(demands)
    demands.clock.advance(days=1)
    _file(demands)


@BOTH
def test_the_same_form_files_once(demands: Demands) -> None:
    made = [
        demands.service.file(
            demands.people.applicant, TEXT, similar=Similar(), seen=(), form_key="form-key-1"
        )
        for _ in range(2)
    ]
    assert made[0] is made[1]


def test_requesters_hear_when_the_data_opens(demands: Demands) -> None:
    _demand, place = demands.planned()
    demands.catalogue.file(place.entry)
    demands.session.query(Notice).delete()
    demands.catalogue.open_list.publish(demands.people.agency_reviewer, place)
    told = set(demands.session.scalars(select(Notice.account_id)))
    assert {demands.people.applicant.account_id, demands.voter.account_id} <= told


@BOTH
def test_the_timer_fulfils_what_was_opened(platform: Platform, clock: SetClock) -> None:
    with platform.database.writing() as session:
        people = People(platform, session)
        demands = Demands(session, clock, people, Catalogue(platform, session, people))
        demand, place = demands.planned()
        demands.catalogue.file(place.entry)
        demands.catalogue.open_list.publish(people.agency_reviewer, place)
        demand_id = demand.id
    run_timers(platform, {})
    run_timers(platform, {})
    with platform.database.reading() as session:
        found = session.get(DataDemand, demand_id)
        assert found is not None
        assert found.state == "answered"
        open_ones = select(Deadline.id).where(
            Deadline.flow == FLOW, Deadline.subject_id == demand_id, Deadline.closed_at.is_(None)
        )
        assert session.scalar(open_ones) is None
