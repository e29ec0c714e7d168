"""The record of every call, written in batches by a thread of each process.

A record waits in memory for at most FLUSH_SECONDS: a process that is killed loses the records of
its last second and nothing else. The hourly sums that quotas and reports rest on are written with
each answer and lose nothing.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections import deque
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError

from extensions.access.models.call import CallRecord
from portal.db import Database

FLUSH_SECONDS = 0.8
MAX_WAITING = 50_000  # while the database is away; then the oldest go, and the log says how many
BATCH = 1_000
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Called:
    """One call, without any value that was asked for or given."""

    application_id: int
    key_id: int
    called_at: datetime
    credential: str  # key or token
    operation: str  # rows, count, aggregate, schema or list
    fields: tuple[str, ...]
    rows: int
    milliseconds: int
    status: int
    code: str = ""


class CallLog:
    """Takes records from all threads of a process; one thread writes them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[Called] = deque()
        self._lost = 0
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process = 0
        self._stopped = threading.Event()
        atexit.register(_flush, weakref.ref(self))

    def add(self, called: Called) -> None:
        """Keep the record; it is written within FLUSH_SECONDS."""
        with self._lock:
            if len(self._waiting) >= MAX_WAITING:
                self._waiting.popleft()
                self._lost += 1
            self._waiting.append(called)
            if self._thread is None or self._process != os.getpid():  # threads survive no fork
                self._start()

    def flush(self) -> None:
        """Write what waits, now.

        Raises:
            SQLAlchemyError: the database does not take it; everything still waits.
        """
        with self._writing:
            while batch := self._first():
                rows = [_row(one) for one in batch]
                with self._database.writing() as session:
                    session.execute(insert(CallRecord), rows)
                with self._lock:
                    for _ in batch:
                        self._waiting.popleft()

    def close(self) -> None:
        """Write what waits and end the thread."""
        self._stopped.set()
        if self._thread is not None and self._process == os.getpid():
            self._thread.join(timeout=5)
        self.flush()

    def _first(self) -> list[Called]:
        with self._lock:
            return [self._waiting[n] for n in range(min(BATCH, len(self._waiting)))]

    def _start(self) -> None:
        self._process = os.getpid()
        self._stopped.clear()
        self._thread = threading.Thread(
            target=_write_on, args=(weakref.ref(self), self._stopped), name="call-log", daemon=True
        )
        self._thread.start()

    def flush_quietly(self) -> None:
        """Write what waits; what cannot be written now waits for the next time."""
        try:
            self.flush()
        except (SQLAlchemyError, OSError) as error:
            log.warning("records of calls wait for the database", error=type(error).__name__)
        with self._lock:
            lost, self._lost = self._lost, 0
        if lost:
            log.error("records of calls were dropped", count=lost)


def _row(called: Called) -> dict[str, object]:
    return {**vars(called), "fields": list(called.fields)}


def _write_on(reference: weakref.ref[CallLog], stopped: threading.Event) -> None:
    """Write every FLUSH_SECONDS, as long as the log is used by somebody."""
    while not stopped.wait(FLUSH_SECONDS):
        found = reference()
        if found is None:
            return
        found.flush_quietly()
        del found


def _flush(reference: weakref.ref[CallLog]) -> None:
    found = reference()
    if found is not None:
        found.flush_quietly()
