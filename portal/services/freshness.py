"""Watch whether data is kept up to date (flow F2)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import SYSTEM, Actor, RoleIn
from portal.clock import Clock
from portal.errors import GuardRefused
from portal.models.entry import CatalogueEntry
from portal.models.freshness import Freshness
from portal.services.flow import Flow
from portal.services.freshness_flow import FLOW, frequency_of, period_end, period_of
from portal.services.index_requests import request_index


class FreshnessService:
    """Everything that may happen to an entry's freshness. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._flow = Flow(FLOW, session, clock)

    def start(self, entry: CatalogueEntry) -> None:
        """Begin to watch a published entry whose update frequency has a period."""
        version = entry.published_version
        if version is None or period_of(version.update_frequency) is None:
            return
        if find_freshness(self._session, entry.id) is not None:
            return
        freshness = Freshness(
            entry=entry, entry_id=entry.id, updated_at=entry.data_modified_at or self._clock()
        )
        self._flow.create(freshness, "start", SYSTEM, notify=False)

    def data_updated(self, entry: CatalogueEntry, *, table_state: str = "none") -> None:
        """New data came. Who uploads it acts for the provider; a harvest does so in its name."""
        freshness = find_freshness(self._session, entry.id)
        if freshness is None:
            return
        if freshness.state in ("due", "overdue"):
            self._flow.fire(freshness, "data_updated", _provider(entry), table_state=table_state)
        freshness.updated_at = self._clock()
        freshness.due_at = freshness.overdue_at = None

    def stop(self, entry: CatalogueEntry) -> None:
        freshness = find_freshness(self._session, entry.id)
        if freshness is not None and freshness.state != "stopped":
            self._flow.fire(freshness, "entry_retired", SYSTEM)

    def restart(self, entry: CatalogueEntry) -> None:
        freshness = find_freshness(self._session, entry.id)
        if freshness is not None and freshness.state == "stopped":
            self._flow.fire(freshness, "entry_restored", SYSTEM)

    def escalate(self, freshness: Freshness) -> bool:
        """Escalate what is still overdue when its time has come, once; True if it happened now."""
        overdue_at = freshness.overdue_at
        if freshness.state != "overdue" or overdue_at is None:
            return False
        key = f"escalate-{overdue_at.isoformat()}"
        before = freshness.row_version
        try:
            self._flow.fire(freshness, "escalate", SYSTEM, key=key)
        except GuardRefused:
            return False
        return freshness.row_version != before

    def tick(self, freshness: Freshness) -> bool:
        """Fire the timer's event whose time has come, if any; True if the state moved."""
        event = {"current": "period_elapsed", "due": "grace_elapsed"}.get(freshness.state)
        if event is None:
            return False
        due_at = freshness.due_at
        if event == "period_elapsed":
            # The duty counts from the end of the period, not from when a timer noticed it.
            freshness.due_at = period_end(freshness.updated_at, frequency_of(freshness))
        try:
            self._flow.fire(freshness, event, SYSTEM)
        except GuardRefused:
            freshness.due_at = due_at
            return False
        request_index(self._session, self._clock, freshness.entry)
        return True


def _provider(entry: CatalogueEntry) -> Actor:
    role = RoleIn("agency_editor", entry.provider_id, entry.provider.code)
    return Actor(None, entry.provider.name, (role,))


def find_freshness(session: Session, entry_id: int) -> Freshness | None:
    return session.scalars(select(Freshness).where(Freshness.entry_id == entry_id)).first()
