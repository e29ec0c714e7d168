"""异常调用: three plain rules on the last full hour, told once a day to agency and holder.

A rule says what it saw in numbers, so that a person can judge; nothing is suspended by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from extensions.access.flow import BINDING, FLOW
from extensions.access.models.application import AccessApplication
from extensions.access.models.call import ApiCall
from portal.actor import SYSTEM
from portal.clock import SHANGHAI, Clock
from portal.models.audit import AuditEvent
from portal.services import audit, notices

USUAL_DAYS = 14
MANY_CALLS, MANY_TIMES = 100, 5
MANY_ROWS = 10_000
MANY_ERRORS, ERROR_SHARE = 50, 0.5
EVENT = "odd_use"


@dataclass(frozen=True)
class Hour:
    """Use of one grant in one hour, and the most in any hour of the days before."""

    calls: int
    rows: int
    errors: int
    most_calls: int
    most_rows: int


@dataclass(frozen=True)
class Oddity:
    rule: str
    text: str


def oddities(hour: Hour) -> Iterator[Oddity]:
    """Yield what is odd about an hour; a grant without any earlier use has nothing usual yet."""
    if hour.most_calls and hour.calls >= MANY_CALLS and hour.calls > hour.most_calls * MANY_TIMES:
        text = f"一小时调用{hour.calls:,}次，此前{USUAL_DAYS}天每小时最多{hour.most_calls:,}次"
        yield Oddity("calls", text)
    if hour.most_rows and hour.rows >= MANY_ROWS and hour.rows > hour.most_rows * MANY_TIMES:
        text = f"一小时取走{hour.rows:,}行，此前{USUAL_DAYS}天每小时最多{hour.most_rows:,}行"
        yield Oddity("rows", text)
    if hour.errors >= MANY_ERRORS and hour.errors >= hour.calls * ERROR_SHARE:
        yield Oddity("errors", f"一小时{hour.calls:,}次调用中有{hour.errors:,}次参数有误")


def look_at(session: Session, clock: Clock, application: AccessApplication) -> list[Oddity]:
    """Look at the last full hour of a grant; tell what is odd, each rule once a day."""
    ended = clock().astimezone(SHANGHAI) - timedelta(hours=1)
    hour = _hour(session, application.id, ended)
    found = [
        one for one in oddities(hour) if not _is_told(session, application.id, _key(one, ended))
    ]
    for one in found:
        event = audit.record(
            session,
            clock,
            SYSTEM,
            flow=FLOW,
            event=EVENT,
            subject_id=application.id,
            entry_id=application.entry_id,
            from_state=application.state,
            to_state=application.state,
            event_key=_key(one, ended),
            reason=one.text,
        )
        text = f"数据申请“{BINDING.title(application)}”调用异常：{one.text}。请核对用途，必要时可以暂停授权。"
        agency = {"agency": frozenset({application.entry.provider_id})}
        told = notices.audience_of(session, ("agency",), application, agency, {})
        link = f"/work/applications/{application.id}"
        notices.tell(session, clock, told, event, text, link)
    return found


def _hour(session: Session, application_id: int, moment: datetime) -> Hour:
    of_grant = ApiCall.application_id == application_id
    now = session.execute(
        select(ApiCall.calls, ApiCall.rows, ApiCall.errors).where(
            of_grant, ApiCall.day == moment.date(), ApiCall.hour == moment.hour
        )
    ).first()
    calls, rows, errors = now if now is not None else (0, 0, 0)
    before = (ApiCall.day < moment.date()) | (
        (ApiCall.day == moment.date()) & (ApiCall.hour < moment.hour)
    )
    since = moment.date() - timedelta(days=USUAL_DAYS)
    most_calls, most_rows = session.execute(
        select(func.max(ApiCall.calls), func.max(ApiCall.rows)).where(
            of_grant, before, ApiCall.day >= since
        )
    ).one()
    return Hour(calls, int(rows), errors, most_calls or 0, int(most_rows or 0))


def _key(one: Oddity, moment: datetime) -> str:
    return f"odd-{one.rule}-{moment.date().isoformat()}"


def _is_told(session: Session, application_id: int, key: str) -> bool:
    known = select(AuditEvent.id).where(
        AuditEvent.flow == FLOW,
        AuditEvent.subject_id == application_id,
        AuditEvent.event_key == key,
    )
    return session.scalar(known) is not None
