"""Whether an entry's data is open to the public just now: its place on the agency's open list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.errors import Forbidden
from portal.models.open_list import ENDED, OpenListEntry
from portal.permissions import is_bureau, is_of_same_organisation, is_system

OPEN, SUSPENDED, PLANNED = "open", "suspended", "planned"


class NotOpen(Forbidden):
    """The data is not, not yet, or not now on its agency's open list."""

    code = "not_open"
    default_message = "该数据尚未列入开放清单，暂不提供下载。"


@dataclass(frozen=True)
class Opening:
    """The entry's live place on the open list; dates are local."""

    state: str
    open_type: str
    reason: str
    opened_at: datetime | None
    planned_on: date | None
    removal_notice_on: date | None


def find_opening(session: Session, entry_id: int) -> Opening | None:
    row = session.execute(
        select(
            OpenListEntry.state,
            OpenListEntry.open_type,
            OpenListEntry.reason,
            OpenListEntry.opened_at,
            OpenListEntry.planned_open_date,
            OpenListEntry.removal_notice_on,
        ).where(OpenListEntry.entry_id == entry_id, OpenListEntry.state.not_in(ENDED))
    ).first()
    return Opening(*row) if row else None


class Provided(Protocol):
    """Whose data it is: an entry, or what a page keeps of it."""

    @property
    def provider_id(self) -> int: ...

    @property
    def responsible_dept_id(self) -> int: ...


def is_official(actor: Actor, entry: Provided) -> bool:
    """True for the data's own people, the Bureau and the system: the public's limits are not theirs."""
    exempt: tuple[Any, ...] = (is_of_same_organisation, is_bureau, is_system)
    return any(holds(actor, entry) for holds in exempt)


def check_open(actor: Actor, entry: Provided, opening: Opening | None) -> None:
    """Let the public have data only while it is open; its own people and the Bureau always may.

    Raises:
        NotOpen: with the date it is planned for, or why it is suspended.
    """
    if is_official(actor, entry):
        return
    state = opening.state if opening else ""
    if state == OPEN:
        return
    if opening is not None and state == SUSPENDED:
        raise NotOpen("该数据已暂停开放，恢复前不提供下载。原因：{reason}", reason=opening.reason)
    if opening is not None and state == PLANNED and opening.planned_on:
        day = opening.planned_on
        raise NotOpen(
            "该数据计划于{year}年{month}月{day}日开放，届时可以下载。",
            year=day.year,
            month=day.month,
            day=day.day,
        )
    raise NotOpen()
