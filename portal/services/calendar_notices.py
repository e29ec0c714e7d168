"""Load a holiday notice: the days, and every open deadline that they move, in one transaction.

What was judged stays as it was judged: only open deadlines move. One that would now lie in the
past gets one working day from today (working-days rule 4).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock, local_date
from portal.errors import Conflict, Invalid
from portal.models.audit import AuditEvent
from portal.models.calendar_notice import CalendarNotice
from portal.models.duty import CalendarDay, Deadline
from portal.models.organisation import Organisation
from portal.permissions import Permission, require
from portal.rules.calendar import CalendarDay as Day
from portal.rules.calendar import DayKind, TableCalendar, due_after
from portal.rules.holiday_notice import PLAIN, HolidayNotice
from portal.services import audit, notices
from portal.services.deadlines import forget_calendar, work_calendar
from portal.services.flow import FLOWS

FLOW = "calendar"


@dataclass(frozen=True)
class Move:
    """An open deadline with its old and its new last day; equal when only `provisional` changes."""

    deadline: Deadline
    old: date
    new: date
    provisional: bool

    @property
    def moves(self) -> bool:
        return self.old != self.new


@dataclass(frozen=True)
class CalendarPlan:
    """What loading would do. `shown` is a digest of all of it."""

    days: Mapping[date, CalendarDay]
    added: tuple[date, ...]
    removed: tuple[date, ...]
    changed: tuple[date, ...]
    moves: tuple[Move, ...]
    confirmed: tuple[Move, ...]
    shown: str


class CalendarService:
    """Everything that may happen to the calendar. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def plan(self, notice: HolidayNotice) -> CalendarPlan:
        """Say what loading the notice would change; write nothing."""
        if not notice.source.strip():
            raise Invalid.one("source", "missing", "请填写依据，如通知的名称和文号。")
        before = {row.date: row for row in self._session.scalars(select(CalendarDay))}
        _check_years(notice, {day.year for day in before})
        after = self._days_after(before, notice)
        calendar = _calendar(after)
        found = list(self._moves(calendar))
        moves = tuple(move for move in found if move.moves)
        return CalendarPlan(
            days=after,
            added=tuple(sorted(after.keys() - before.keys())),
            removed=tuple(sorted(before.keys() - after.keys())),
            changed=tuple(
                day
                for day in sorted(after.keys() & before.keys())
                if (after[day].kind, after[day].provisional)
                != (before[day].kind, before[day].provisional)
            ),
            moves=moves,
            confirmed=tuple(m for m in found if not m.moves),
            shown=_digest(after, moves),
        )

    def load(
        self, actor: Actor, notice: HolidayNotice, *, shown: str | None = None
    ) -> CalendarNotice:
        """Load the notice (a Bureau administrator), move the deadlines, tell who must act.

        Args:
            shown: digest of the plan that the person saw; None where nobody looks (a command).

        Raises:
            Invalid: the notice has no source.
            Conflict: the plan is another one by now.
        """
        require(actor, Permission.CALENDAR_MANAGE)
        plan = self.plan(notice)
        if shown is not None and shown != plan.shown:
            raise Conflict("日历或期限在您查看之后有变化，请重新核对后再载入。")
        self._write_days(plan)
        made = self._record_notice(actor, notice, plan)
        event = audit.record(
            self._session,
            self._clock,
            actor,
            flow=FLOW,
            event="load",
            subject_id=made.id,
            reason=notice.reason,
            details={
                "source": notice.source,
                "year": notice.year,
                "days": len(notice.days),
                "moved": made.moved,
            },
        )
        for move in plan.moves:
            self._move(actor, move, made)
        for move in plan.confirmed:
            move.deadline.provisional = move.provisional
        self._tell(event, notice, plan.moves, but=actor.account_id)
        return made

    def _days_after(
        self, before: Mapping[date, CalendarDay], notice: HolidayNotice
    ) -> dict[date, CalendarDay]:
        """Return the table as it will be: a year's notice takes the place of what stood there.

        Single days that were set by hand stay, unless the notice names them.
        """
        single = set(
            self._session.scalars(
                select(CalendarNotice.source).where(CalendarNotice.whole_year.is_(False))
            )
        )
        after = {
            day: row
            for day, row in before.items()
            if not notice.whole_year
            or day.year != notice.year
            or (row.source in single and not row.provisional)
        }
        for day in notice.days:
            if day.kind == PLAIN:
                after.pop(day.date, None)
            else:
                after[day.date] = CalendarDay(
                    date=day.date, kind=day.kind, name=day.name, source=notice.source, provisional=False
                )  # fmt: skip
        return after

    def _moves(self, calendar: TableCalendar) -> Iterable[Move]:
        today, current = local_date(self._clock()), work_calendar(self._session)
        query = select(Deadline).where(Deadline.closed_at.is_(None), Deadline.working_days > 0)
        for deadline in self._session.scalars(query.order_by(Deadline.due_on, Deadline.id)):
            before = due_after(deadline.start_on, deadline.working_days, current)
            after = due_after(deadline.start_on, deadline.working_days, calendar)
            new = deadline.due_on if after.date == before.date else after.date
            if new < today and new != deadline.due_on:
                was_late = deadline.due_on < today
                new = deadline.due_on if was_late else due_after(today, 1, calendar).date
            if (new, after.provisional) != (deadline.due_on, deadline.provisional):
                yield Move(deadline, deadline.due_on, new, after.provisional)

    def _write_days(self, plan: CalendarPlan) -> None:
        rows = {row.date: row for row in self._session.scalars(select(CalendarDay))}
        for day, row in rows.items():
            if day not in plan.days:
                self._session.delete(row)
        for day, new in plan.days.items():
            if day not in rows:
                self._session.add(new)
            elif rows[day] is not new:
                for name in ("kind", "name", "source", "provisional"):
                    setattr(rows[day], name, getattr(new, name))
        self._session.flush()
        forget_calendar(self._session)

    def _record_notice(
        self, actor: Actor, notice: HolidayNotice, plan: CalendarPlan
    ) -> CalendarNotice:
        made = CalendarNotice(
            year=notice.year,
            whole_year=notice.whole_year,
            source=notice.source.strip()[:200],
            reason=notice.reason.strip(),
            days=[
                {"date": d.date.isoformat(), "kind": d.kind, "name": d.name} for d in notice.days
            ],
            moved=len(plan.moves),
            confirmed=len(plan.confirmed),
            loaded_by=actor.name,
            loaded_at=self._clock(),
        )
        self._session.add(made)
        self._session.flush()
        return made

    def _move(self, actor: Actor, move: Move, notice: CalendarNotice) -> None:
        deadline = move.deadline
        deadline.due_on, deadline.provisional = move.new, move.provisional
        audit.record(
            self._session,
            self._clock,
            actor,
            flow="deadline",
            event="move",
            subject_id=deadline.id,
            entry_id=deadline.entry_id,
            due_on=move.new,
            reason=notice.source,
            details={
                "flow": deadline.flow,
                "subject_id": deadline.subject_id,
                "old": move.old.isoformat(),
                "new": move.new.isoformat(),
                "notice_id": notice.id,
            },
        )

    def _tell(
        self, event: AuditEvent, notice: HolidayNotice, moves: Iterable[Move], *, but: int | None
    ) -> None:
        """Tell each person who must act once, with how many of their deadlines moved."""
        counts: dict[int, int] = defaultdict(int)
        for move in moves:
            for account in self._actors_of(move.deadline):
                counts[account] += 1
        by_count: dict[int, set[int]] = defaultdict(set)
        for account, count in counts.items():
            if account != but:
                by_count[count].add(account)
        for count, accounts in sorted(by_count.items()):
            text = f"“{notice.source}”已载入，与您有关的 {count} 项期限随之调整，请看新的截止日期。"
            notices.tell(self._session, self._clock, accounts, event, text, "/work")

    def _actors_of(self, deadline: Deadline) -> frozenset[int]:
        binding = FLOWS.find_binding(deadline.flow)
        subject = self._session.get(binding.model, deadline.subject_id) if binding else None
        if binding is None or subject is None:
            return frozenset()
        return notices.audience_of(
            self._session,
            (deadline.actor_kind,),
            subject,
            binding.organisations(subject),
            binding.persons(subject),
        )


def _check_years(notice: HolidayNotice, known: set[int]) -> None:
    """A few days do not make a year known: only a year's own notice does. Raises Invalid."""
    own = {notice.year} if notice.whole_year else set()
    for day in notice.days:
        if day.date.year not in known | own:
            raise Invalid.one(
                "days",
                "unknown_year",
                "{day}所在年份还没有日历，请先载入该年的全年安排。",
                day=day.date.isoformat(),
            )


def _calendar(days: Mapping[date, CalendarDay]) -> TableCalendar:
    return TableCalendar(
        {d: Day(d, DayKind(row.kind), row.provisional) for d, row in days.items()}, "planned"
    )


def _digest(days: Mapping[date, CalendarDay], moves: Iterable[Move]) -> str:
    text = "\n".join(
        [f"{d} {days[d].kind} {days[d].provisional}" for d in sorted(days)]
        + [f"{m.deadline.id} {m.old} {m.new}" for m in moves]
    )
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class MoveLine:
    """A move in words: what it concerns, who acts, the old and the new last day."""

    title: str
    link: str
    flow: str
    organisation: str
    old: date
    new: date
    provisional: bool


def in_words(session: Session, moves: Iterable[Move], *, limit: int) -> list[MoveLine]:
    """Return the first moves, earliest new day first."""
    lines = []
    for move in sorted(moves, key=lambda m: (m.new, m.deadline.id))[:limit]:
        deadline = move.deadline
        binding = FLOWS.find_binding(deadline.flow)
        subject = session.get(binding.model, deadline.subject_id) if binding else None
        owner = (
            session.get(Organisation, deadline.organisation_id)
            if deadline.organisation_id is not None
            else None
        )
        lines.append(
            MoveLine(
                title=binding.title(subject) if binding and subject is not None else "",
                link=binding.link(subject) if binding and subject is not None else "",
                flow=binding.name if binding else deadline.flow,
                organisation=owner.name if owner else "",
                old=move.old,
                new=move.new,
                provisional=move.provisional,
            )
        )
    return lines


def list_notices(session: Session) -> list[CalendarNotice]:
    return list(session.scalars(select(CalendarNotice).order_by(CalendarNotice.id.desc())))


@dataclass(frozen=True)
class CalendarYear:
    """A year of the table: its days, and whether they rest on a published notice."""

    year: int
    days: tuple[CalendarDay, ...]
    covered: bool


def list_years(session: Session, first: int) -> list[CalendarYear]:
    """Return the years from `first` on that have days."""
    rows: dict[int, list[CalendarDay]] = defaultdict(list)
    query = select(CalendarDay).where(CalendarDay.date >= date(first, 1, 1))
    for row in session.scalars(query.order_by(CalendarDay.date)):
        rows[row.date.year].append(row)
    return [
        CalendarYear(year, tuple(days), not any(day.provisional for day in days))
        for year, days in sorted(rows.items())
    ]


def missing_year(session: Session, today: date) -> tuple[int, bool] | None:
    """Return the coming year if no notice covers it from 1 November on, and whether it is urgent.

    Urgent: from 1 December on, when five working days already reach into it.
    """
    if today.month < 11:
        return None
    year = today.year + 1
    days = session.scalars(
        select(CalendarDay).where(
            CalendarDay.date >= date(year, 1, 1), CalendarDay.date <= date(year, 12, 31)
        )
    ).all()
    covered = bool(days) and not any(day.provisional for day in days)
    return None if covered else (year, today.month == 12)
