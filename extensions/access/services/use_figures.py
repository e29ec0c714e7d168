"""Calls of many grants together: by day, interface, agency, grant and result.

A scope says which grants are meant; it is part of every query, so that nobody's figures hold
another one's calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.orm import Session

from extensions.access.models.application import LIVE, AccessApplication
from extensions.access.models.call import ApiCall, CallRecord
from extensions.access.models.interface import DataInterface
from extensions.access.services.usage import DayUse
from portal.clock import SHANGHAI, local_date
from portal.models.account import Account
from portal.models.entry import CatalogueEntry
from portal.models.organisation import Organisation

MOST_LINES = 200
Scope = ColumnElement[bool]


@dataclass(frozen=True)
class Line:
    """Calls of one interface, agency or grant. `live` says how many grants of it can call now."""

    code: str
    name: str
    calls: int
    rows: int
    errors: int
    live: int = 0
    identity: int = 0  # of a grant


@dataclass(frozen=True)
class Result:
    """Recorded calls that ended alike. `milliseconds` is their mean."""

    status: int
    code: str
    calls: int
    milliseconds: int


@dataclass(frozen=True)
class UseFigures:
    days: list[DayUse]
    interfaces: list[Line]
    agencies: list[Line]
    grants: list[Line]
    results: list[Result]
    live: int

    @property
    def calls(self) -> int:
        return sum(day.calls for day in self.days)

    @property
    def rows(self) -> int:
        return sum(day.rows for day in self.days)

    @property
    def errors(self) -> int:
        return sum(day.errors for day in self.days)


def of_applicant(account_id: int) -> Scope:
    return AccessApplication.applicant_id == account_id


def of_agencies(organisation_ids: Sequence[int]) -> Scope:
    """Grants on data of these providers that were handed in."""
    return CatalogueEntry.provider_id.in_(organisation_ids)


def of_all() -> Scope:
    return true()


def use_figures(session: Session, now: datetime, scope: Scope, *, days: int) -> UseFigures:
    """Return the figures of the last days, today included."""
    live = select(func.count(AccessApplication.id)).join(
        CatalogueEntry, CatalogueEntry.id == AccessApplication.entry_id
    )
    return UseFigures(
        days=_by_day(session, now, scope, days),
        interfaces=_lines(session, now, scope, days, DataInterface.api_code, DataInterface.name),
        agencies=_lines(session, now, scope, days, Organisation.slug, Organisation.name),
        grants=_grants(session, now, scope, days),
        results=_results(session, now, scope, days),
        live=session.scalar(live.where(scope, AccessApplication.state.in_(LIVE))) or 0,
    )


def _joined(query: Select[Any]) -> Select[Any]:
    """Join a query on applications with all that lines are named by."""
    return (
        query.join(CatalogueEntry, CatalogueEntry.id == AccessApplication.entry_id)
        .join(DataInterface, DataInterface.id == AccessApplication.interface_id)
        .join(Organisation, Organisation.id == CatalogueEntry.provider_id)
        .join(Account, Account.id == AccessApplication.applicant_id)
    )


def _sums() -> tuple[Any, ...]:
    return (
        func.coalesce(func.sum(ApiCall.calls), 0).label("calls"),
        func.coalesce(func.sum(ApiCall.rows), 0),
        func.coalesce(func.sum(ApiCall.errors), 0),
    )


def _by_day(session: Session, now: datetime, scope: Scope, days: int) -> list[DayUse]:
    since = local_date(now) - timedelta(days=days - 1)
    query = _joined(
        select(ApiCall.day, *_sums()).join(
            AccessApplication, AccessApplication.id == ApiCall.application_id
        )
    )
    rows = session.execute(query.where(scope, ApiCall.day >= since).group_by(ApiCall.day))
    found = {day: DayUse(day, int(calls), int(given), int(bad)) for day, calls, given, bad in rows}
    spread = (since + timedelta(days=n) for n in range(days))
    return [found.get(day, DayUse(day, 0, 0, 0)) for day in spread]


def _with_calls(query: Select[Any], now: datetime, days: int) -> Select[Any]:
    """Add the calls of the last days; grants without any stay, with zeros."""
    since = local_date(now) - timedelta(days=days - 1)
    return query.outerjoin(
        ApiCall, (ApiCall.application_id == AccessApplication.id) & (ApiCall.day >= since)
    )


def _lines(
    session: Session, now: datetime, scope: Scope, days: int, code: Any, name: Any
) -> list[Line]:
    sums = _sums()
    query = _with_calls(
        _joined(select(code, name, *sums).select_from(AccessApplication)), now, days
    )
    rows = session.execute(
        query.where(scope, AccessApplication.activated_at.is_not(None))
        .group_by(code, name)
        .order_by(sums[0].desc(), code)
        .limit(MOST_LINES)
    )
    live = _live(session, scope, code)
    return [Line(*_plain(row), live=live.get(row[0], 0)) for row in rows]


def _live(session: Session, scope: Scope, code: Any) -> dict[str, int]:
    """Return how many grants can be called now, by code; apart from the calls, which repeat them."""
    query = _joined(select(code, func.count(AccessApplication.id)).select_from(AccessApplication))
    rows = session.execute(query.where(scope, AccessApplication.state.in_(LIVE)).group_by(code))
    return {found: count for found, count in rows}  # noqa: C416


def _grants(session: Session, now: datetime, scope: Scope, days: int) -> list[Line]:
    sums, application = _sums(), AccessApplication
    names = (Account.applicant_name, Account.display_name, DataInterface.name)
    query = _joined(select(application.id, *names, *sums).select_from(application))
    rows = session.execute(
        _with_calls(query, now, days)
        .where(scope, application.activated_at.is_not(None))
        .group_by(application.id, *names)
        .order_by(sums[0].desc(), application.id)
        .limit(MOST_LINES)
    )
    return [
        Line(
            f"SQ{identity:08d}", f"{legal or shown} · {interface}", int(calls), int(given), int(bad),
            identity=identity,
        )
        for identity, legal, shown, interface, calls, given, bad in rows
    ]  # fmt: skip


def _results(session: Session, now: datetime, scope: Scope, days: int) -> list[Result]:
    """Return how recorded calls ended, most calls first."""
    begins = datetime.combine(local_date(now) - timedelta(days=days - 1), time(), SHANGHAI)
    record, calls = CallRecord, func.count(CallRecord.id)
    query = _joined(
        select(record.status, record.code, calls, func.avg(record.milliseconds)).join(
            AccessApplication, AccessApplication.id == record.application_id
        )
    )
    rows = session.execute(
        query.where(scope, record.called_at >= begins)
        .group_by(record.status, record.code)
        .order_by(calls.desc(), record.status, record.code)
        .limit(MOST_LINES)
    )
    return [Result(status, code, n, round(float(mean))) for status, code, n, mean in rows]


def _plain(row: Any) -> tuple[str, str, int, int, int]:
    code, name, calls, given, bad = row
    return code, name, int(calls), int(given), int(bad)
