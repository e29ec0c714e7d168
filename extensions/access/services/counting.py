"""Every call counted against its quota and added to the sums of use, exactly and with its answer.

Calls of a process that wait at the same time are counted in one transaction, by whichever of them
comes to it first: the database has one writer, and a transaction for each call would make the
calls wait for each other's. A lone call waits for nobody.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from extensions.access.quota import Allowance, Quota, QuotaState, Window, term_state, windows_of
from extensions.access.services.sandbox_use import add_sandbox_calls
from extensions.access.services.usage import add_calls, add_to_term
from portal.clock import SHANGHAI
from portal.db import Database
from portal.services.rates import RateState, add_hits, rate_state, take_back_hits, window_start

MAX_REMEMBERED = 10_000
Place = tuple[str, int]
"""A window: its key and when it began; a term: "" and its application."""


@dataclass(frozen=True)
class Counted:
    """One answered call. `windows` are what Redis counted already, None where the database does."""

    now: datetime
    allowance: Allowance
    interface_id: int
    rows: int
    failed: bool
    windows: QuotaState | None = None


@dataclass
class _Waiting:
    call: Counted
    quota: QuotaState | None = None
    error: Exception | None = None
    is_done: bool = False


class CallCounter:
    """Counts the calls of all threads of a process."""

    def __init__(self, database: Database, quota: Quota) -> None:
        self._database, self._quota = database, quota
        self._waiting: list[_Waiting] = []
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._has_room: dict[str, bool] = {}

    def look(self, session: Session, now: datetime, allowance: Allowance) -> QuotaState | None:
        """Return how the windows stand, before any work is done for a call.

        None where the last call seen here left room: whether there still is some, `count` decides.
        """
        if self._has_room.get(allowance.counter):
            return None
        return self._quota.peek(session, now, allowance)

    def count(
        self, now: datetime, allowance: Allowance, interface_id: int, *, rows: int, failed: bool
    ) -> QuotaState:
        """Count one call, and add it to the sums of use if it is allowed."""
        windows = self._quota.count_in_redis(now, allowance)
        one = _Waiting(Counted(now, allowance, interface_id, rows, failed, windows))
        with self._lock:
            self._waiting.append(one)
        with self._turn:
            if not one.is_done:
                self._count_waiting()
        if one.error is not None or one.quota is None:
            raise one.error or RuntimeError("a call was not counted")
        self._remember(allowance.counter, one.quota)
        return one.quota

    def _count_waiting(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting, []
        try:
            with self._database.writing() as session:
                states = count_calls(session, [one.call for one in batch])
            for one, state in zip(batch, states, strict=True):
                one.quota = state
        except Exception as error:  # nothing was kept: none of them may be answered
            for one in batch:
                one.error = error
        finally:
            for one in batch:
                one.is_done = True

    def _remember(self, counter: str, state: QuotaState) -> None:
        if len(self._has_room) > MAX_REMEMBERED:
            self._has_room = {}
        self._has_room[counter] = state.allowed and state.tighter.remaining > 0


def count_calls(session: Session, calls: Sequence[Counted]) -> list[QuotaState]:
    """Count the calls in their order; `session` is a writing one.

    A call that a window refuses takes nothing from the longer ones.
    """
    wanted = Counter(place for call in calls for place, _ in _places(call))
    reached = {place: _add(session, place, wanted[place]) for place in sorted(wanted)}
    taken: Counter[Place] = Counter()
    states = [_state(call, reached, wanted, taken) for call in calls]
    for place, count in sorted((wanted - taken).items()):
        _add(session, place, -count)
    _add_use(session, [c for c, s in zip(calls, states, strict=True) if s.allowed])
    return states


def _places(call: Counted) -> list[tuple[Place, Window]]:
    """Return where a call is counted in the database, the shortest window first."""
    allowance = call.allowance
    windows = windows_of(allowance) if call.windows is None else ()
    places = [
        (
            (
                f"{allowance.counter}:{window.name}",
                window_start(call.now, window.seconds, window.offset_seconds),
            ),
            window,
        )
        for window in windows
    ]
    if allowance.quota_term:
        places.append((("", allowance.application_id), Window("term", allowance.quota_term, 0)))
    return places


def _add(session: Session, place: Place, count: int) -> int:
    key, number = place
    if not key:
        return add_to_term(session, number, count)
    if count < 0:
        take_back_hits(session, key, number, -count)
        return 0
    return add_hits(session, key, number, count)


def _state(
    call: Counted, reached: Mapping[Place, int], wanted: Counter[Place], taken: Counter[Place]
) -> QuotaState:
    """Return how the windows stand after the call; `taken` grows by what it takes."""
    states = list(call.windows.windows) if call.windows is not None else []
    allowed = all(state.allowed for _, state in states)
    for place, window in _places(call):
        before = reached[place] - wanted[place] + taken[place]
        used = before + allowed
        is_open = used <= window.limit if allowed else before < window.limit
        taken[place] += allowed
        if window.name == "term":
            states.append(term_state(call.now, call.allowance, used, is_open))
        else:
            found = rate_state(call.now, place[1], window.seconds, window.limit, used)
            state = RateState(found.limit, found.remaining, found.reset_seconds, is_open)
            states.append((window, state))
        allowed = allowed and is_open
    return QuotaState(tuple(states))


def _add_use(session: Session, calls: Sequence[Counted]) -> None:
    """Add the calls to the sums of grants by the hour, and of sandboxes by the day."""
    sums: dict[tuple[bool, int, int, datetime], list[int]] = {}
    for call in calls:
        local = call.now.astimezone(SHANGHAI)
        hour = datetime(local.year, local.month, local.day, local.hour)
        allowance = call.allowance
        is_sandbox = bool(allowance.sandbox_of)
        owner = allowance.sandbox_of or allowance.application_id
        key = (is_sandbox, owner, call.interface_id if is_sandbox else 0, hour)
        found = sums.setdefault(key, [0, 0, 0])
        for place, more in enumerate((1, call.rows, int(call.failed))):
            found[place] += more
    for (is_sandbox, owner, interface_id, hour), (count, rows, errors) in sorted(sums.items()):
        use = {"calls": count, "rows": rows, "errors": errors}
        if is_sandbox:
            add_sandbox_calls(session, owner, interface_id, hour.date(), **use)
        else:
            add_calls(session, owner, hour.date(), hour.hour, **use)
