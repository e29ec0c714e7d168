"""What time does: demands whose data has been opened, followers of data that was delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from extensions.participation.models.demand import DataDemand
from extensions.participation.models.follow import EntryFollow
from extensions.participation.services.demands import DemandService, list_planned
from extensions.participation.services.topic_follows import (
    DELIVERIES,
    has_topic_news,
    tell_of_topics,
)
from portal.clock import Clock
from portal.errors import Conflict, GuardRefused, IllegalEvent
from portal.models.audit import AuditEvent
from portal.models.duty import Notice
from portal.models.entry import CatalogueEntry
from portal.services import notices

if TYPE_CHECKING:
    from portal.platform import Platform

BATCH = 500


def run_timers(platform: Platform, _payload: dict[str, Any]) -> None:
    """Every few minutes; running it again changes nothing."""
    fulfil_planned(platform)
    with platform.database.reading() as session:
        due = bool(_entries_with_news(session)) or has_topic_news(session)
    if due:
        with platform.database.writing() as session:
            tell_of_topics(session, platform.clock)
            tell_of_deliveries(session, platform.clock)


def fulfil_planned(platform: Platform) -> None:
    with platform.database.reading() as session:
        due = list(list_planned(session))
    for demand_id in due:
        try:
            with platform.database.writing() as session:
                demand = session.get(DataDemand, demand_id)
                if demand is not None:
                    DemandService(session, platform.clock).fulfil(demand)
        except (GuardRefused, IllegalEvent, Conflict):
            continue  # somebody acted first; the next run looks again


def _entries_with_news(session: Session) -> list[int]:
    return list(
        session.scalars(
            select(EntryFollow.entry_id)
            .join(CatalogueEntry, CatalogueEntry.id == EntryFollow.entry_id)
            .where(
                CatalogueEntry.data_modified_at > EntryFollow.told_at,
                CatalogueEntry.published_version_id.is_not(None),
                CatalogueEntry.retired_at.is_(None),
            )
            .distinct()
            .limit(BATCH)
        )
    )


def tell_of_deliveries(session: Session, clock: Clock) -> None:
    """Tell each follower once of data delivered since the last time.

    Who was told of it by the update flow already (data that was due) is not told again.
    """
    for entry_id in _entries_with_news(session):
        entry = session.get_one(CatalogueEntry, entry_id)
        event = session.scalars(
            select(AuditEvent)
            .where(
                AuditEvent.entry_id == entry_id,
                AuditEvent.flow == "distribution",
                AuditEvent.event.in_(DELIVERIES),
            )
            .order_by(AuditEvent.id.desc())
        ).first()
        late = session.scalars(
            select(EntryFollow).where(
                EntryFollow.entry_id == entry_id, EntryFollow.told_at < entry.data_modified_at
            )
        ).all()
        if event is not None and entry.published_version is not None:
            told = {f.account_id for f in late if not _was_told(session, f, entry_id)}
            text = f"您关注的数据“{entry.published_version.title}”更新了数据文件"
            notices.tell(session, clock, told, event, text, f"/dataset/{entry.slug}")
        for follow in late:
            follow.told_at = clock()


def _was_told(session: Session, follow: EntryFollow, entry_id: int) -> bool:
    query = (
        select(Notice.id)
        .join(AuditEvent, AuditEvent.id == Notice.event_id)
        .where(
            Notice.account_id == follow.account_id,
            AuditEvent.entry_id == entry_id,
            AuditEvent.flow == "freshness",
            AuditEvent.event == "data_updated",
            AuditEvent.at >= follow.told_at,
        )
    )
    return session.scalar(query.limit(1)) is not None
