"""An uploaded open list, confirmed by a person after a look at what it would do."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.models.audit import AuditEvent
from portal.models.organisation import Organisation
from portal.services import audit
from portal.services.open_list_import import (
    CREATED,
    UPDATED,
    ImportResult,
    import_open_list,
)

FLOW = "open_list_upload"


def import_once(
    session: Session,
    clock: Clock,
    actor: Actor,
    data: bytes,
    filename: str,
    provider: Organisation,
    *,
    key: str,
) -> ImportResult | None:
    """Import a list and record that; None if the same click has imported it already.

    Raises:
        Invalid, Forbidden: as `import_open_list` has them; nothing was written.
    """
    done = select(AuditEvent.id).where(
        AuditEvent.flow == FLOW,
        AuditEvent.subject_id == provider.id,
        AuditEvent.event_key == key,
    )
    if session.scalar(done) is not None:
        return None
    result = import_open_list(session, clock, actor, data, filename, provider)
    audit.record(
        session,
        clock,
        actor,
        flow=FLOW,
        event="import",
        subject_id=provider.id,
        details={
            "filename": filename,
            "created": result.count(CREATED),
            "updated": result.count(UPDATED),
        },
        event_key=key,
    )
    return result
