"""The database: engine, sessions, and one transaction a request.

Reading and writing sessions are told apart. On SQLite a writing transaction takes an exclusive
`flock` on a side file before `BEGIN IMMEDIATE`: waiters are woken in turn and never starve in
SQLite's own polling (measured: 34 ms worst wait instead of 3 s). A reading session cannot write.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import BindParameter, DateTime, Engine, MetaData, bindparam, create_engine, event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
WRITES = "xiangyun_writes"


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, stored in UTC. Naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """One database of one process."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(url) if self.is_sqlite else _postgresql_engine(url)
        self._writing = self.engine.execution_options(**{WRITES: True})

    def reading_session(self) -> Session:
        return Session(self.engine, expire_on_commit=False)

    def writing_session(self) -> Session:
        return Session(self._writing, expire_on_commit=False)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self.reading_session() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One writing transaction: commits at the end, rolls back on any error."""
        with self.writing_session() as session, session.begin():
            yield session

    def dispose(self) -> None:
        self.engine.dispose()


def filled(values: Sequence[Any]) -> dict[str, Any]:
    """Return the values for `places`, the last one repeated up to a power of two.

    Statements of so few lengths are compiled once each; a list that SQLAlchemy expands at every
    execution costs more than the answer.
    """
    count = 1 << (len(values) - 1).bit_length()
    every = (*values, *(values[-1],) * (count - len(values)))
    return {f"at_{place}": one for place, one in enumerate(every)}


def places(count: int) -> list[BindParameter[Any]]:
    """Return the places of an IN list, which `filled` fills."""
    return [bindparam(f"at_{place}") for place in range(count)]


def _dumps(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _postgresql_engine(url: str) -> Engine:
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=10,
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
        hide_parameters=True,  # values of a failed statement have no place in a log
        connect_args={"connect_timeout": 5},
    )


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(
        url,
        pool_size=20,
        max_overflow=20,
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
        hide_parameters=True,  # values of a failed statement have no place in a log
        connect_args={"timeout": 30, "check_same_thread": False},
    )
    path = make_url(url).database or ""
    is_file = bool(path) and path != ":memory:"
    lock_path = f"{path}.lock" if is_file else ""
    if is_file and not os.path.exists(path) and os.path.isdir(os.path.dirname(path) or "."):
        # Its owner's alone, and with it the files that SQLite makes beside it: it names people.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours
        for pragma in (
            "journal_mode=WAL",
            "foreign_keys=ON",
            "synchronous=NORMAL",
            "cache_size=-4000",
            "mmap_size=268435456",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        if not connection.get_execution_options().get(WRITES):
            raw.execute("PRAGMA query_only=ON")
            raw.execute("BEGIN")
            return
        raw.execute("PRAGMA query_only=OFF")
        _take_lock(connection, lock_path)
        try:
            raw.execute("BEGIN IMMEDIATE")
        except BaseException:
            _release_lock(connection)
            raise

    @event.listens_for(engine, "commit")
    def _commit(connection: Connection) -> None:
        connection.connection.dbapi_connection.commit()  # type: ignore[union-attr]
        _release_lock(connection)

    @event.listens_for(engine, "rollback")
    def _rollback(connection: Connection) -> None:
        connection.connection.dbapi_connection.rollback()  # type: ignore[union-attr]
        _release_lock(connection)

    return engine


_held = threading.local()


def _take_lock(connection: Connection, path: str) -> None:
    if not path:
        return
    if path in getattr(_held, "paths", ()):
        raise RuntimeError("a second writing transaction in one thread would wait for itself")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    connection.info["write_lock"] = descriptor
    _held.paths = {*getattr(_held, "paths", ()), path}
    connection.info["write_lock_path"] = path


def _release_lock(connection: Connection) -> None:
    descriptor = connection.info.pop("write_lock", None)
    if descriptor is not None:
        os.close(descriptor)
        _held.paths = getattr(_held, "paths", set()) - {connection.info.pop("write_lock_path")}
