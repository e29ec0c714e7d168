"""Calls that are counted together count as if each came alone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from extensions.access.models import ApiCall
from extensions.access.models.call import TermUse
from extensions.access.quota import Allowance, Quota
from extensions.access.services.counting import CallCounter, Counted, count_calls
from portal.models.counter import RateWindow
from portal.platform import Platform
from tests.extensions.access.conftest import Grants, Served
from tests.factories import NOW


def calls(grant: int, count: int, *, later: int = 0, **limits: int) -> list[Counted]:
    allowance = Allowance(grant, **{"per_minute": 100, "quota_day": 100, **limits})
    now = NOW + timedelta(seconds=later)
    return [Counted(now, allowance, 1, 3, False) for _ in range(count)]


@pytest.fixture
def grant(grants: Grants, session: Session) -> int:
    application = grants.active()
    session.flush()
    return application.id


def kept(session: Session) -> dict[str, int]:
    rows = session.execute(select(RateWindow.key, RateWindow.count))
    return {key.rpartition(":")[2]: count for key, count in rows}


def test_of_calls_that_come_together_as_many_pass_as_may(session: Session, grant: int) -> None:
    states = count_calls(session, calls(grant, 5, per_minute=3))
    assert [one.allowed for one in states] == [True, True, True, False, False]
    assert [one.over for one in states] == ["", "", "", "minute", "minute"]
    assert [one.tighter.remaining for one in states] == [2, 1, 0, 0, 0]
    assert kept(session)["day"] == 3  # refused by the minute: nothing taken from the day
    use = session.scalars(select(ApiCall)).one()
    assert (use.calls, use.rows) == (3, 9)
    again = count_calls(session, calls(grant, 2, later=60, per_minute=3))
    assert [one.allowed for one in again] == [True, True]
    assert kept(session)["day"] == 5


def test_calls_of_two_minutes_counted_together_take_from_their_own(
    session: Session, grant: int
) -> None:
    both = calls(grant, 3, per_minute=2, quota_day=3) + calls(
        grant, 2, later=60, per_minute=2, quota_day=3
    )
    states = count_calls(session, both)
    assert [one.over for one in states] == ["", "", "minute", "", "day"]


def test_a_term_is_used_up_exactly(session: Session, grant: int) -> None:
    limits = {"quota_term": 4, "quota_day": 10}
    states = count_calls(session, calls(grant, 3, **limits))
    assert all(one.allowed for one in states)
    states = count_calls(session, calls(grant, 3, **limits))
    assert [one.over for one in states] == ["", "term", "term"]
    assert session.scalars(select(TermUse.calls)).one() >= 4
    assert session.scalars(select(ApiCall.calls)).one() == 4


@pytest.fixture
def small(make_platform: Callable[..., Platform], serve: Callable[..., Served]) -> Served:
    return serve(make_platform("sqlite"))


def test_threads_share_transactions_and_each_gets_its_own_number(
    small: Served,
) -> None:
    counter = CallCounter(small.platform.database, Quota())
    allowance = Allowance(small.application_id, 1_000, 30)
    with ThreadPoolExecutor(8) as pool:
        states = list(
            pool.map(lambda _: counter.count(NOW, allowance, 1, rows=1, failed=False), range(50))
        )
    assert sum(one.allowed for one in states) == 30
    left = sorted(one.tighter.remaining for one in states if one.allowed)
    assert left == list(range(30))


def test_a_database_that_refuses_lets_no_call_through(
    small: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: Any) -> Any:
        raise OperationalError("UPDATE", {}, Exception("disk full"))

    with monkeypatch.context() as patched:
        patched.setattr("extensions.access.services.counting.count_calls", broken)
        patched.setitem(small.client.application.config, "PROPAGATE_EXCEPTIONS", False)
        assert small.get("/rows").status_code >= 500
    assert small.get("/rows").status_code == 200


def test_what_left_room_is_not_looked_at_again(
    small: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = CallCounter(small.platform.database, Quota())
    allowance = Allowance(small.application_id, 100, 2)
    looked: list[bool] = []
    with small.platform.database.reading() as reading:
        looked.append(counter.look(reading, NOW, allowance) is not None)
    for _ in range(2):
        counter.count(NOW, allowance, 1, rows=0, failed=False)
        with small.platform.database.reading() as reading:
            state = counter.look(reading, NOW, allowance)
            looked.append(state is not None)
    assert looked == [True, False, True]
    assert state is not None
    assert state.over == "day"
