"""Count what is searched for: in memory while people read, into the database once a second.

No search waits for a write. What a visitor typed is kept apart from who they are: a row says how
often some words were looked for on a day and by how many visitors, and the marks that tell
visitors apart for a day cannot be joined to each other and are deleted the night after.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from portal.clock import Clock, local_date
from portal.db import Database
from portal.models.search_count import SearchCount, SearchVisitor
from portal.rules.search_words import countable_words

FOUND, PART, NONE = "found", "part", "none"
OUTCOMES = (FOUND, PART, NONE)
SECONDS = 1.0  # between two writes of one process
MOST_PENDING = 5_000  # different words; what comes on top of them in that second is not counted
KEPT_DAYS = 400
PROVEN_DAYS, PROVEN_VISITORS = 180, 5
log = structlog.get_logger(__name__)

Key = tuple[date, str, str]  # day, words, outcome


@dataclass
class Tally:
    count: int = 0
    marks: set[str] = field(default_factory=set)


class SearchCounts:
    """The searches of one process that are not in the database yet."""

    def __init__(
        self, database: Database, clock: Clock, secret: str, *, seconds: float = SECONDS
    ) -> None:
        self._database = database
        self._clock = clock
        self._secret = secret.encode()
        self._seconds = seconds
        self._lock = threading.Lock()
        self._pending: dict[Key, Tally] = {}
        self._timer: threading.Timer | None = None

    def note(self, typed: str, outcome: str, visitor: str) -> None:
        """Count one search. `visitor` tells people apart today, and is not kept."""
        words = countable_words(typed)
        if words is None:
            return
        day = local_date(self._clock())
        text = f"{day.isoformat()}|{words}|{visitor}".encode("utf-8", "replace")
        mark = hmac.new(self._secret, text, sha256).hexdigest()[:32]
        with self._lock:
            key = (day, words, outcome)
            if key not in self._pending and len(self._pending) >= MOST_PENDING:
                return
            tally = self._pending.setdefault(key, Tally())
            tally.count += 1
            tally.marks.add(mark)
            if self._timer is None:
                self._timer = threading.Timer(self._seconds, self._write)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Write what is pending, in one transaction.

        Raises:
            SQLAlchemyError: nothing was written, and nothing is kept for another time.
        """
        with self._lock:
            pending, self._pending = self._pending, {}
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        if pending:
            with self._database.writing() as session:
                add_counts(session, pending)

    def close(self) -> None:
        """Write the last counts if that is possible; the database is closed after this."""
        self._write()

    def _write(self) -> None:
        try:
            self.flush()
        except SQLAlchemyError as error:
            log.warning("searches were not counted", error=type(error).__name__)


def add_counts(session: Session, pending: dict[Key, Tally]) -> None:
    """Add what was counted; in the order of the keys, so that two writers never wait crosswise."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    for day, words, outcome in sorted(pending):
        tally = pending[day, words, outcome]
        marks = [{"day": day, "mark": mark} for mark in sorted(tally.marks)]
        fresh = session.execute(
            insert(SearchVisitor)
            .values(marks)
            .on_conflict_do_nothing()
            .returning(SearchVisitor.mark)
        ).all()
        session.execute(
            insert(SearchCount)
            .values(day=day, words=words, outcome=outcome, count=tally.count, visitors=len(fresh))
            .on_conflict_do_update(
                index_elements=["day", "words", "outcome"],
                set_={
                    "count": SearchCount.count + tally.count,
                    "visitors": SearchCount.visitors + len(fresh),
                },
            )
        )


def forget_searches(session: Session, today: date) -> None:
    """Delete the marks of past days, and counts that are older than anyone looks back."""
    session.execute(delete(SearchVisitor).where(SearchVisitor.day < today))
    oldest = today - timedelta(days=KEPT_DAYS)
    session.execute(delete(SearchCount).where(SearchCount.day < oldest))


@dataclass(frozen=True)
class SearchedWords:
    """Words with what was counted of them in a span of days."""

    words: str
    count: int
    visitors: int
    days: int
    last_on: date


def list_searches(
    session: Session, outcome: str, since: date, *, limit: int, offset: int = 0
) -> tuple[list[SearchedWords], int]:
    """Return what was searched for most since a day with that outcome, and how many words there are."""
    counts = SearchCount
    chosen = (counts.outcome == outcome) & (counts.day >= since)
    total = session.scalar(select(func.count(func.distinct(counts.words))).where(chosen)) or 0
    rows = session.execute(
        select(
            counts.words,
            func.sum(counts.count),
            func.sum(counts.visitors),
            func.count(),
            func.max(counts.day),
        )
        .where(chosen)
        .group_by(counts.words)
        .order_by(func.sum(counts.visitors).desc(), func.sum(counts.count).desc(), counts.words)
        .limit(limit)
        .offset(offset)
    )
    found = [
        SearchedWords(words, int(count), int(visitors), days, last_on)
        for words, count, visitors, days, last_on in rows
    ]
    return found, total


def proven_searches(session: Session, today: date, *, limit: int = 2_000) -> list[str]:
    """Return words that found something and that several visitors came with, the commonest first."""
    counts = SearchCount
    since = today - timedelta(days=PROVEN_DAYS)
    rows: Iterable[str] = session.scalars(
        select(counts.words)
        .where(counts.outcome == FOUND, counts.day >= since)
        .group_by(counts.words)
        .having(func.sum(counts.visitors) >= PROVEN_VISITORS)
        .order_by(func.sum(counts.visitors).desc(), counts.words)
        .limit(limit)
    )
    return list(rows)
