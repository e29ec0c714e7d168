"""Insert many new rows of one model by one statement.

SQLite tells the ids of inserted rows in no order, so SQLAlchemy would insert them one by one to
learn each row's id. Here the ids are taken first, in the transaction that writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

FEW = 4
"""Rows that are as quickly inserted one by one as their ids are asked for."""


def add_many(session: Session, rows: Sequence[Any]) -> None:
    """Add new objects of one model, whose key is an integer named `id`; insert many at once.

    Few only wait in the session, as `add_all` has it: who needs their ids flushes. The session
    must be a writing one: on SQLite its lock keeps the ids ours.
    """
    if len(rows) <= FEW:
        session.add_all(rows)
        return
    session.flush()  # whatever waits takes its own ids first
    for row, row_id in zip(rows, _next_ids(session, type(rows[0]), len(rows)), strict=True):
        row.id = row_id
    session.add_all(rows)
    session.flush()


def _next_ids(session: Session, model: Any, count: int) -> Sequence[int]:
    if session.get_bind().dialect.name == "sqlite":
        last = session.scalar(select(func.max(model.id))) or 0
        return range(last + 1, last + 1 + count)
    sequence = func.pg_get_serial_sequence(model.__tablename__, "id")
    numbers = select(func.nextval(sequence)).select_from(func.generate_series(1, count))
    return session.scalars(numbers).all()
