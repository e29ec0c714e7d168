"""Calls of sandboxes, added up by account, interface and day; each one is recorded nowhere."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from extensions.access.models.sandbox import SandboxCall
from portal.clock import local_date


def add_sandbox_calls(
    session: Session,
    account_id: int,
    interface_id: int,
    day: date,
    *,
    calls: int,
    rows: int,
    errors: int,
) -> None:
    """Add calls to their account's local day."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(SandboxCall).values(
        account_id=account_id,
        interface_id=interface_id,
        day=day,
        calls=calls,
        rows=rows,
        errors=errors,
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["account_id", "interface_id", "day"],
            set_={
                "calls": SandboxCall.calls + calls,
                "rows": SandboxCall.rows + rows,
                "errors": SandboxCall.errors + errors,
            },
        )
    )


def count_calls_today(session: Session, now: datetime, account_id: int) -> int:
    query = select(func.coalesce(func.sum(SandboxCall.calls), 0)).where(
        SandboxCall.account_id == account_id, SandboxCall.day == local_date(now)
    )
    return int(session.scalar(query) or 0)
