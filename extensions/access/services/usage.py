"""Calls added up by the hour: written with each answer, read by dashboards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from extensions.access.models.call import ApiCall, CallRecord, TermUse
from portal.clock import SHANGHAI, local_date

KEPT_DAYS = 180


@dataclass(frozen=True)
class DayUse:
    day: date
    calls: int
    rows: int
    errors: int


def add_call(
    session: Session, now: datetime, application_id: int, *, rows: int, failed: bool
) -> None:
    """Add one call to its application's local hour."""
    local = now.astimezone(SHANGHAI)
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(
        insert(ApiCall)
        .values(
            application_id=application_id,
            day=local.date(),
            hour=local.hour,
            calls=1,
            rows=rows,
            errors=int(failed),
        )
        .on_conflict_do_update(
            index_elements=["application_id", "day", "hour"],
            set_={
                "calls": ApiCall.calls + 1,
                "rows": ApiCall.rows + rows,
                "errors": ApiCall.errors + int(failed),
            },
        )
    )


def count_term(session: Session, application_id: int) -> int:
    """Count one call of the grant's term; return how many there were with it."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(TermUse).values(application_id=application_id, calls=1)
    return session.execute(
        statement.on_conflict_do_update(
            index_elements=["application_id"], set_={"calls": TermUse.calls + 1}
        ).returning(TermUse.calls)
    ).scalar_one()


def peek_term(session: Session, application_id: int) -> int:
    """Return how many calls the grant's term has used."""
    query = select(TermUse.calls).where(TermUse.application_id == application_id)
    return session.scalar(query) or 0


def forget_calls(session: Session, now: datetime) -> None:
    """Forget single calls after KEPT_DAYS; the hourly sums stay."""
    end = now - timedelta(days=KEPT_DAYS)
    session.execute(delete(CallRecord).where(CallRecord.called_at < end))


def list_days(
    session: Session, now: datetime, application_ids: Sequence[int], *, days: int = 14
) -> list[DayUse]:
    """Return the use of the applications together on each of the last days, today last."""
    today = local_date(now)
    since = today - timedelta(days=days - 1)
    rows = session.execute(
        select(
            ApiCall.day, func.sum(ApiCall.calls), func.sum(ApiCall.rows), func.sum(ApiCall.errors)
        )
        .where(ApiCall.application_id.in_(application_ids), ApiCall.day >= since)
        .group_by(ApiCall.day)
    ).all()
    found = {day: DayUse(day, int(calls), int(given), int(bad)) for day, calls, given, bad in rows}
    spread = (since + timedelta(days=n) for n in range(days))
    return [found.get(day, DayUse(day, 0, 0, 0)) for day in spread]
