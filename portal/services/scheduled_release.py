"""Versions that were reviewed and wait for their day (flow F1: approve, then publish by the system)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock, local_date
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.services.catalogue_flow import FLOW
from portal.services.entries import EntryService
from portal.services.flow import Flow


def list_due(session: Session, clock: Clock, *, limit: int = 200) -> list[int]:
    """Return the ids of approved versions whose day has come (in Jilin), the earliest first."""
    query = (
        select(EntryVersion.id)
        .join(CatalogueEntry, CatalogueEntry.id == EntryVersion.entry_id)
        .where(
            EntryVersion.state == "approved",
            EntryVersion.release_on <= local_date(clock()),
            CatalogueEntry.retired_at.is_(None),  # one that was retired meanwhile waits
        )
        .order_by(EntryVersion.release_on, EntryVersion.id)
        .limit(limit)
    )
    return list(session.scalars(query))


def release(session: Session, clock: Clock, version_id: int) -> bool:
    """Put a version out whose day has come; False if it does not wait (any more)."""
    version = session.get(EntryVersion, version_id)
    if version is None or version.state != "approved" or version.release_on is None:
        return False
    if version.release_on > local_date(clock()) or version.entry.retired_at is not None:
        return False
    EntryService(session, clock).publish(version)
    return True


def cancel_release(
    session: Session,
    clock: Clock,
    actor: Actor,
    version: EntryVersion,
    *,
    reason: str,
    seen: int | None = None,
    key: str | None = None,
) -> None:
    """Call a planned release off: the version waits for a review again.

    Raises:
        GuardRefused: no reason, or it waits for no day.
    """
    planned = version.release_on
    details = {"release_on": planned.isoformat() if planned else ""}
    Flow(FLOW, session, clock).fire(
        version, "cancel_release", actor, reason=reason, seen=seen, key=key, details=details
    )
    if version.state == "submitted":
        version.release_on = None
