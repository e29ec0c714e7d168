"""The Bureau's second look at entries that came in by import or harvest, past the review."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Forbidden, GuardRefused
from portal.models.audit import AuditEvent
from portal.models.entry import CatalogueEntry
from portal.services import audit
from portal.services.guards import refuse

FLOW = "second_look"


def take_second_look(
    session: Session, clock: Clock, actor: Actor, entry: CatalogueEntry, *, finding: str = ""
) -> bool:
    """Record that a second person has looked at the entry; False if that stood already.

    Raises:
        Forbidden: not the Bureau.
        GuardRefused: the actor imported the entry.
    """
    if not actor.is_kind("bureau"):
        raise Forbidden()
    if not entry.needs_second_look:
        return False
    if any(actor.stands_for(importer) for importer in _importers(session, entry.id)):
        raise _own_import()
    entry.needs_second_look = False
    audit.record(
        session,
        clock,
        actor,
        flow=FLOW,
        event="looked",
        subject_id=entry.id,
        entry_id=entry.id,
        reason=finding.strip(),
        details={"version_id": entry.published_version_id},
    )
    return True


def _importers(session: Session, entry_id: int) -> set[int | None]:
    query = select(AuditEvent.actor_id).where(
        AuditEvent.entry_id == entry_id, AuditEvent.event == "import"
    )
    return set(session.scalars(query)) - {None}


def _own_import() -> GuardRefused:
    return refuse("", "own_import", "您导入了这个目录，须由其他人复核。")
