"""One rebuild at a time, wherever it runs; a process that dies lets go by itself."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from portal.db import Database
from portal.errors import Conflict

_KEY = 0x7869616E67  # of PostgreSQL's advisory locks, which a lost connection releases
_BUSY = "另一个进程正在重建检索索引，请等它完成。"


@contextmanager
def rebuilding_alone(database: Database) -> Iterator[None]:
    """Hold the lock. Raises Conflict: another process holds it."""
    with _file_lock(database) if database.is_sqlite else _advisory_lock(database):
        yield


@contextmanager
def _file_lock(database: Database) -> Iterator[None]:
    path = make_url(database.url).database or ""
    with open(f"{path}.rebuild.lock", "w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(_BUSY) from None
        yield


@contextmanager
def _advisory_lock(database: Database) -> Iterator[None]:
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(select(func.pg_try_advisory_lock(_KEY))):
            raise Conflict(_BUSY)
        try:
            yield
        finally:
            connection.execute(select(func.pg_advisory_unlock(_KEY)))
