"""A loaded notice moves every open deadline, and nothing that was judged."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import local_date
from portal.errors import Conflict, Forbidden, Invalid
from portal.models import AuditEvent, CalendarDay, Deadline, Notice
from portal.rules.holiday_notice import HolidayNotice, NoticeDay, read_days
from portal.services.calendar_days import load_calendar_days
from portal.services.calendar_notices import CalendarService, missing_year
from portal.services.deadlines import list_open_deadlines, work_calendar
from tests.factories import Catalogue, People, SetClock

NOTICE_2027 = """date,until,kind,name
2027-01-01,2027-01-04,off,元旦
2027-01-09,,work,元旦
2027-02-05,2027-02-11,off,春节
2027-05-01,2027-05-05,off,劳动节
2027-10-01,2027-10-07,off,国庆节
"""


ONE_DATABASE = pytest.mark.parametrize("database_kind", ["sqlite"])


def year_2027() -> HolidayNotice:
    days = read_days(NOTICE_2027, 2027, whole_year=True)
    return HolidayNotice(2027, days, "国办发明电〔2026〕9号", "年度安排")


@pytest.fixture
def service(session: Session, clock: SetClock) -> CalendarService:
    clock.now = datetime(2026, 12, 24, 2, 0, tzinfo=UTC)
    return CalendarService(session, clock)


def review_deadline(session: Session, catalogue: Catalogue) -> Deadline:
    version = catalogue.submitted()
    session.flush()
    return next(
        d
        for d in list_open_deadlines(session, "catalogue_entry", version.id)
        if d.actor_kind == "bureau"
    )


@ONE_DATABASE
def test_the_dry_run_names_what_moves_and_writes_nothing(
    service: CalendarService, session: Session, catalogue: Catalogue
) -> None:
    deadline = review_deadline(session, catalogue)
    assert (deadline.due_on, deadline.provisional) == (date(2027, 1, 8), True)
    plan = service.plan(year_2027())
    moved = {move.deadline.id: (move.old, move.new) for move in plan.moves}
    assert moved[deadline.id] == (date(2027, 1, 8), date(2027, 1, 9))
    assert deadline.due_on == date(2027, 1, 8)
    day = session.get(CalendarDay, date(2027, 9, 15))
    assert day is not None
    assert day.provisional


def test_loading_moves_open_deadlines_records_and_tells(
    service: CalendarService, session: Session, catalogue: Catalogue, people: People
) -> None:
    deadline = review_deadline(session, catalogue)
    reviewer = people.account("bureau_reviewer", "JL-BUR")
    made = service.load(people.admin, year_2027(), shown=service.plan(year_2027()).shown)
    assert (deadline.due_on, deadline.provisional) == (date(2027, 1, 9), False)
    assert session.get(CalendarDay, date(2027, 9, 15)) is None  # a guess of the provisional list
    assert made.moved >= 1
    event = session.scalars(
        select(AuditEvent).where(
            AuditEvent.flow == "deadline", AuditEvent.subject_id == deadline.id
        )
    ).one()
    assert (event.details["old"], event.details["new"]) == ("2027-01-08", "2027-01-09")
    texts = session.scalars(select(Notice.text).where(Notice.account_id == reviewer.id))
    assert any("国办发明电〔2026〕9号" in text for text in texts)


@ONE_DATABASE
def test_what_was_judged_stays(
    service: CalendarService, session: Session, catalogue: Catalogue, people: People
) -> None:
    deadline = review_deadline(session, catalogue)
    deadline.closed_at, deadline.met = service._clock(), True
    session.flush()
    service.load(people.admin, year_2027())
    assert deadline.due_on == date(2027, 1, 8)


@ONE_DATABASE
def test_a_deadline_that_would_lie_in_the_past_gets_one_working_day(
    service: CalendarService,
    session: Session,
    catalogue: Catalogue,
    people: People,
    clock: SetClock,
) -> None:
    deadline = review_deadline(session, catalogue)
    clock.now = datetime(2027, 1, 8, 2, 0, tzinfo=UTC)
    earlier = read_days(
        NOTICE_2027.replace("2027-01-01,2027-01-04,off", "2027-01-01,,off").replace(
            "2027-01-09,,work,元旦", "2027-01-02,2027-01-03,work,元旦"
        ),
        2027,
        whole_year=True,
    )
    service.load(people.admin, HolidayNotice(2027, earlier, "更正通知"))
    assert deadline.due_on == date(2027, 1, 11)
    assert deadline.due_on > local_date(clock())


@ONE_DATABASE
def test_a_local_day_off_stays_when_the_year_is_loaded_again(
    service: CalendarService, session: Session, people: People
) -> None:
    snow = HolidayNotice(
        2027, (NoticeDay(date(2027, 1, 20), "off", "暴雪"),), "省应急办通知", whole_year=False
    )
    service.load(people.admin, year_2027())
    service.load(people.admin, snow)
    service.load(people.admin, year_2027())
    session.flush()
    assert not work_calendar(session).is_working_day(date(2027, 1, 20))
    plain = HolidayNotice(
        2027, (NoticeDay(date(2027, 1, 20), "plain", ""),), "撤销", whole_year=False
    )
    service.load(people.admin, plain)
    assert work_calendar(session).is_working_day(date(2027, 1, 20))


@ONE_DATABASE
def test_only_an_administrator_loads_and_only_what_was_shown(
    service: CalendarService, session: Session, people: People, catalogue: Catalogue
) -> None:
    with pytest.raises(Forbidden):
        service.load(people.bureau, year_2027())
    with pytest.raises(Conflict):
        service.load(people.admin, year_2027(), shown="0" * 64)
    with pytest.raises(Invalid):
        service.plan(HolidayNotice(2027, year_2027().days, " "))
    lonely = HolidayNotice(
        2035, (NoticeDay(date(2035, 1, 3), "off", "雪"),), "通知", whole_year=False
    )
    with pytest.raises(Invalid):  # one day would make a whole unknown year look known
        service.plan(lonely)


@ONE_DATABASE
def test_an_upgrade_brings_no_guesses_back(
    service: CalendarService, session: Session, people: People, clock: SetClock
) -> None:
    assert load_calendar_days(session, clock) == 0
    service.load(people.admin, year_2027())
    assert load_calendar_days(session, clock) == 0
    assert work_calendar(session).covers(date(2027, 6, 1))


@ONE_DATABASE
def test_the_coming_year_is_asked_for_from_november(
    service: CalendarService, session: Session, people: People
) -> None:
    assert missing_year(session, date(2026, 10, 31)) is None
    assert missing_year(session, date(2026, 11, 1)) == (2027, False)
    assert missing_year(session, date(2026, 12, 1)) == (2027, True)
    service.load(people.admin, year_2027())
    session.flush()
    assert missing_year(session, date(2026, 12, 1)) is None
