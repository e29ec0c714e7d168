"""The audit trail refuses changes, and finds those that were made all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from portal.actor import SYSTEM
from portal.platform import Platform
from portal.services import audit
from portal.services.audit_anchor import FileAnchor


def _sealed(platform: Platform, events: int = 6) -> FileAnchor:
    """Write events in two batches, sealed one after the other."""
    anchor = FileAnchor(platform.settings.home / "audit-head.json")
    for _ in range(2):
        with platform.database.writing() as session:
            for number in range(events // 2):
                audit.record(
                    session, platform.clock, SYSTEM, flow="test", event="e", subject_id=number
                )
        with platform.database.writing() as session:
            audit.seal_pending(session, platform.clock, anchor)
    return anchor


def _faults(platform: Platform, anchor: FileAnchor) -> list[audit.AuditFault]:
    with platform.database.reading() as session:
        return audit.verify(session, anchor)


def _allow_changes(session: Session) -> None:
    """Do what an attacker with the database's own rights can: take the triggers away."""
    for table in ("audit_event", "audit_seal", "audit_sealed_event"):
        if session.get_bind().dialect.name == "sqlite":
            session.execute(text(f"DROP TRIGGER {table}_no_update"))
            session.execute(text(f"DROP TRIGGER {table}_no_delete"))
        else:
            session.execute(text(f"DROP TRIGGER {table}_append_only ON {table}"))


def test_an_untouched_trail_is_whole(platform: Platform) -> None:
    assert _faults(platform, _sealed(platform)) == []


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_event SET reason = 'x'", "DELETE FROM audit_event"]
)
def test_the_database_refuses_changes(platform: Platform, statement: str) -> None:
    _sealed(platform)
    with pytest.raises(DBAPIError, match="append-only"), platform.database.writing() as session:
        session.execute(text(statement))


def _edit(session: Session) -> None:
    session.execute(text("UPDATE audit_event SET reason = 'changed' WHERE id = 2"))


def _remove(session: Session) -> None:
    session.execute(text("DELETE FROM audit_sealed_event WHERE event_id = 2"))
    session.execute(text("DELETE FROM audit_event WHERE id = 2"))


def _reorder(session: Session) -> None:
    session.execute(text("UPDATE audit_sealed_event SET position = 99 WHERE event_id = 1"))
    session.execute(text("UPDATE audit_sealed_event SET position = 0 WHERE event_id = 2"))
    session.execute(text("UPDATE audit_sealed_event SET position = 1 WHERE event_id = 1"))


def _cut_tail(session: Session) -> None:
    session.execute(text("DELETE FROM audit_sealed_event WHERE seal_number = 2"))
    session.execute(text("DELETE FROM audit_seal WHERE number = 2"))
    session.execute(text("DELETE FROM audit_event WHERE id > 3"))


@pytest.mark.parametrize(
    ("tamper", "problem"),
    [
        (_edit, "edited"),
        (_remove, "removed"),
        (_reorder, "order"),
        (_cut_tail, "tail was cut"),
    ],
)
def test_tampering_is_found(
    platform: Platform, tamper: Callable[[Session], None], problem: str
) -> None:
    anchor = _sealed(platform)
    with platform.database.writing() as session:
        _allow_changes(session)
        tamper(session)
    faults = _faults(platform, anchor)
    assert any(problem in fault.problem for fault in faults), faults


def test_a_late_event_with_a_lower_number_is_sealed_too(platform: Platform) -> None:
    anchor = _sealed(platform)
    with platform.database.writing() as session:
        session.execute(
            text(
                "INSERT INTO audit_event (id, at, actor_name, flow, event, subject_id, from_state,"
                " to_state, reason, details) VALUES (-5, :at, 'x', 'test', 'late', 1, '', '', '', '{}')"
            ),
            {"at": platform.clock().replace(tzinfo=None)},
        )
    with platform.database.writing() as session:
        assert audit.seal_pending(session, platform.clock, anchor) == 1
    assert _faults(platform, anchor) == []
