"""Calls added up by the hour: written with each answer, read by dashboards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Text, cast, delete, func, select
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


@dataclass(frozen=True)
class OperationUse:
    """Calls of one operation that ended alike; `milliseconds` is their mean."""

    operation: str
    status: int
    code: str
    calls: int
    rows: int
    milliseconds: int


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


def total_use(session: Session, application_id: int) -> tuple[int, int]:
    """Return (calls, rows) of an application since it began."""
    sums = select(func.sum(ApiCall.calls), func.sum(ApiCall.rows))
    calls, rows = session.execute(sums.where(ApiCall.application_id == application_id)).one()
    return int(calls or 0), int(rows or 0)


def list_operations(
    session: Session, now: datetime, application_id: int, *, days: int
) -> list[OperationUse]:
    """Return the recorded calls of the last days by operation and result, most calls first."""
    record = CallRecord
    calls = func.count(record.id)
    rows = session.execute(
        select(
            record.operation,
            record.status,
            record.code,
            calls,
            func.sum(record.rows),
            func.avg(record.milliseconds),
        )
        .where(record.application_id == application_id, record.called_at >= _since(now, days))
        .group_by(record.operation, record.status, record.code)
        .order_by(calls.desc(), record.operation, record.status, record.code)
    )
    return [
        OperationUse(operation, status, code, int(count), int(given), round(float(mean)))
        for operation, status, code, count, given, mean in rows
    ]


def list_used_fields(
    session: Session, now: datetime, application_id: int, *, days: int
) -> list[str]:
    """Return the names of the fields that recorded calls gave or counted by, in order."""
    sets = session.scalars(
        select(cast(CallRecord.fields, Text))
        .where(
            CallRecord.application_id == application_id, CallRecord.called_at >= _since(now, days)
        )
        .distinct()
        .limit(1_000)
    )
    return sorted({name for text in sets for name in json.loads(text)})


def _since(now: datetime, days: int) -> datetime:
    """Return when the first of the last days began in Jilin."""
    return datetime.combine(local_date(now) - timedelta(days=days - 1), time(), SHANGHAI)
