"""The audit trail: write events, seal them in batches, verify the chain.

Events are inserted by whoever acts and never changed. A sealer links every event that has no
seal yet to a new seal whose digest covers the previous seal and the events in order, so writers
do not queue behind each other. The newest seal's number and digest are also kept outside the
database, so that a cut tail is found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Protocol

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.models.audit import AuditEvent, AuditSeal, AuditSealedEvent

GENESIS = "0" * 64
BATCH = 5000


@dataclass(frozen=True)
class SealHead:
    number: int
    digest: str


class SealAnchor(Protocol):
    """Keeps the newest seal outside the database."""

    def read(self) -> SealHead | None: ...

    def write(self, head: SealHead) -> None: ...


def record(session: Session, clock: Clock, actor: Actor, **facts: Any) -> AuditEvent:
    """Add one event in the caller's transaction; `facts` are those of `new_event`."""
    audit_event = new_event(clock, actor, **facts)
    session.add(audit_event)
    return audit_event


def new_event(
    clock: Clock,
    actor: Actor,
    *,
    flow: str,
    event: str,
    subject_id: int,
    entry_id: int | None = None,
    from_state: str = "",
    to_state: str = "",
    reason: str = "",
    due_on: date | None = None,
    in_time: bool | None = None,
    details: dict[str, Any] | None = None,
    event_key: str | None = None,
) -> AuditEvent:
    """Return an event that says who did what to which subject; nothing is written yet.

    It names whom a substitute stands in for.
    """
    details = dict(details or {})
    if actor.principals:
        names = "、".join(actor.principals.values())
        details["on_behalf_of"] = [{"id": i, "name": n} for i, n in actor.principals.items()]
        actor = replace(actor, name=f"{actor.name}（代{names}）"[:120])
    return AuditEvent(
        at=clock(),
        actor_id=actor.account_id,
        actor_name=actor.name,
        flow=flow,
        event=event,
        subject_id=subject_id,
        entry_id=entry_id,
        from_state=from_state,
        to_state=to_state,
        reason=reason,
        due_on=due_on,
        in_time=in_time,
        details=details,
        event_key=event_key,
    )


def seal_pending(session: Session, clock: Clock, anchor: SealAnchor) -> int:
    """Seal every event that has no seal; return how many. One sealer at a time (a leased job)."""
    sealed = 0
    while events := _unsealed(session):
        head = session.scalars(select(AuditSeal).order_by(AuditSeal.number.desc()).limit(1)).first()
        previous = head.digest if head else GENESIS
        seal = AuditSeal(
            number=head.number + 1 if head else 1,
            event_count=len(events),
            previous_digest=previous,
            digest=_digest(previous, events),
            sealed_at=clock(),
        )
        session.add(seal)
        session.flush()
        session.add_all(
            AuditSealedEvent(event_id=event.id, seal_number=seal.number, position=position)
            for position, event in enumerate(events)
        )
        session.flush()
        anchor.write(SealHead(seal.number, seal.digest))
        sealed += len(events)
    return sealed


def _unsealed(session: Session) -> Sequence[AuditEvent]:
    sealed = select(AuditSealedEvent.event_id).where(AuditSealedEvent.event_id == AuditEvent.id)
    return session.scalars(
        select(AuditEvent).where(~sealed.exists()).order_by(AuditEvent.id).limit(BATCH)
    ).all()


def _digest(previous: str, events: Iterable[AuditEvent]) -> str:
    digest = hashlib.sha256(previous.encode())
    for event in events:
        digest.update(_canonical(event))
    return digest.hexdigest()


def _canonical(event: AuditEvent) -> bytes:
    values = {column.key: _plain(getattr(event, column.key)) for column in AuditEvent.__table__.c}
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value


@dataclass(frozen=True)
class AuditFault:
    """What `verify` found: the seal it concerns, and what is wrong in words."""

    seal_number: int
    problem: str


def verify(session: Session, anchor: SealAnchor) -> list[AuditFault]:
    """Return every break of the chain: an edited, removed or reordered event, a cut tail."""
    faults: list[AuditFault] = []
    previous, number = GENESIS, 0
    for seal in session.scalars(select(AuditSeal).order_by(AuditSeal.number)):
        number += 1
        if seal.number != number:
            faults.append(AuditFault(number, f"seal {number} is missing"))
            number = seal.number
        if seal.previous_digest != previous:
            faults.append(AuditFault(seal.number, "does not follow the seal before it"))
        faults.extend(_check_seal(session, seal))
        previous = seal.digest
    faults.extend(_check_head(SealHead(number, previous), anchor.read()))
    return faults


def _check_seal(session: Session, seal: AuditSeal) -> list[AuditFault]:
    rows = session.execute(
        select(AuditSealedEvent, AuditEvent)
        .outerjoin(AuditEvent, AuditEvent.id == AuditSealedEvent.event_id)
        .where(AuditSealedEvent.seal_number == seal.number)
        .order_by(AuditSealedEvent.position)
    ).all()
    gone = [link.event_id for link, event in rows if event is None]
    if gone or len(rows) != seal.event_count:
        which = ", ".join(map(str, gone)) or "of unknown number"
        return [AuditFault(seal.number, f"events removed: {which}")]
    if _digest(seal.previous_digest, [event for _, event in rows]) != seal.digest:
        return [AuditFault(seal.number, "an event was edited or the order was changed")]
    return []


def _check_head(found: SealHead, kept: SealHead | None) -> list[AuditFault]:
    if kept is None:
        return [] if found.number == 0 else [AuditFault(found.number, "the kept head is missing")]
    if found.number < kept.number:
        return [AuditFault(kept.number, f"the tail was cut: seals end at {found.number}")]
    if found.number == kept.number and found.digest != kept.digest:
        return [AuditFault(found.number, "the newest seal differs from the kept head")]
    return []
