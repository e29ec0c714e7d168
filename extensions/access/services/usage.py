"""Calls added up by the hour: written with each answer, read by dashboards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

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


def add_calls(
    session: Session,
    application_id: int,
    day: date,
    hour: int,
    *,
    calls: int,
    rows: int,
    errors: int,
) -> None:
    """Add calls to their application's local hour."""
    values = {
        "application_id": application_id,
        "day": day,
        "hour": hour,
        "calls": calls,
        "rows": rows,
        "errors": errors,
    }
    session.connection().execute(_ADD_CALLS[session.get_bind().dialect.name], values)


def add_to_term(session: Session, application_id: int, calls: int) -> int:
    """Add calls to the grant's term (fewer than none: take them back); return how many it has."""
    values = {"application_id": application_id, "calls": calls}
    statement = _ADD_TO_TERM[session.get_bind().dialect.name]
    return int(session.connection().execute(statement, values).scalar_one())


def _adding_calls(insert: Any) -> Any:
    """Made once for each kind of database: every call asks it."""
    statement = insert(ApiCall)
    sums = {
        name: getattr(ApiCall, name) + statement.excluded[name]
        for name in ("calls", "rows", "errors")
    }
    return statement.on_conflict_do_update(
        index_elements=["application_id", "day", "hour"], set_=sums
    )


def _adding_to_term(insert: Any) -> Any:
    statement = insert(TermUse)
    return statement.on_conflict_do_update(
        index_elements=["application_id"],
        set_={"calls": TermUse.calls + statement.excluded.calls},
    ).returning(TermUse.calls)


_INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_ADD_CALLS = {name: _adding_calls(insert) for name, insert in _INSERTS.items()}
_ADD_TO_TERM = {name: _adding_to_term(insert) for name, insert in _INSERTS.items()}


def rows_today(session: Session, now: datetime, application_id: int) -> int:
    """Return how many rows an application was given on this local day."""
    query = select(func.coalesce(func.sum(ApiCall.rows), 0)).where(
        ApiCall.application_id == application_id, ApiCall.day == local_date(now)
    )
    return int(session.scalar(query) or 0)


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
