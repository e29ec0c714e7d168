"""How an interface did on each day, added up from the records of calls by a job every hour.

Pages read thirty short rows instead of the records. An answer of 500 and above, also while there
was no data, counts as a failure; what a caller did wrong does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, delete, func, insert, select
from sqlalchemy.orm import Session

from extensions.access.models.application import LIVE, AccessApplication
from extensions.access.models.call import CallRecord
from extensions.access.models.sandbox import InterfaceDay
from portal.clock import SHANGHAI, local_date

if TYPE_CHECKING:
    from portal.platform import Platform

ADD_UP = "access_interface_days"
SHOWN_DAYS = 30
FAILED_FROM = 500


@dataclass(frozen=True)
class Availability:
    """The last days of one interface, the oldest first; `share` is None without calls."""

    days: tuple[InterfaceDay, ...]
    grants: int  # that may call it now

    @property
    def calls(self) -> int:
        return sum(day.calls for day in self.days)

    @property
    def rows(self) -> int:
        return sum(day.rows for day in self.days)

    @property
    def failures(self) -> int:
        return sum(day.failures for day in self.days)

    @property
    def share(self) -> str | None:
        """Return percents rounded down, since 99.999 % is not everything: 100, 99.5, 99.99."""
        if not self.calls:
            return None
        return f"{(self.calls - self.failures) * 10_000 // self.calls / 100:g}"

    @property
    def milliseconds(self) -> int | None:
        return round(sum(d.milliseconds for d in self.days) / self.calls) if self.calls else None


def add_up_days(platform: Platform, _payload: dict[str, Any]) -> None:
    """Add up yesterday and today anew; running it again changes nothing."""
    today = local_date(platform.clock())
    for day in (today - timedelta(days=1), today):
        with platform.database.writing() as session:
            add_up_day(session, day)


def add_up_day(session: Session, day: date) -> None:
    rows = session.execute(_of_day(day)).all()
    session.execute(delete(InterfaceDay).where(InterfaceDay.day == day))
    if rows:
        values = [{**row._mapping, "day": day} for row in rows]
        session.execute(insert(InterfaceDay), values)


def _of_day(day: date) -> Any:
    begins = datetime.combine(day, time(), SHANGHAI)
    record = CallRecord
    return (
        select(
            AccessApplication.interface_id.label("interface_id"),
            func.count(record.id).label("calls"),
            func.sum(record.rows).label("rows"),
            func.sum(case((record.status >= FAILED_FROM, 1), else_=0)).label("failures"),
            func.sum(record.milliseconds).label("milliseconds"),
        )
        .join(AccessApplication, AccessApplication.id == record.application_id)
        .where(record.called_at >= begins, record.called_at < begins + timedelta(days=1))
        .group_by(AccessApplication.interface_id)
    )


def availability_of(
    session: Session, interface_id: int, today: date, *, days: int = SHOWN_DAYS
) -> Availability:
    """Return the last days; a day without calls is a row of zeros."""
    since = today - timedelta(days=days - 1)
    found = session.scalars(
        select(InterfaceDay).where(
            InterfaceDay.interface_id == interface_id, InterfaceDay.day >= since
        )
    )
    grants = session.scalar(
        select(func.count(AccessApplication.id)).where(
            AccessApplication.interface_id == interface_id, AccessApplication.state.in_(LIVE)
        )
    )
    return Availability(_filled(list(found), interface_id, since, days), grants or 0)


def _filled(
    found: Sequence[InterfaceDay], interface_id: int, since: date, days: int
) -> tuple[InterfaceDay, ...]:
    by_day = {one.day: one for one in found}
    spread = (since + timedelta(days=n) for n in range(days))
    return tuple(
        by_day.get(day)
        or InterfaceDay(
            interface_id=interface_id, day=day, calls=0, rows=0, failures=0, milliseconds=0
        )
        for day in spread
    )
