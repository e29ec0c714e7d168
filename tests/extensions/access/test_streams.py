"""What bounds a stream of NDJSON: its question, the engine's work, the rows of a day, its number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from extensions.access.api import row_answers, streams
from extensions.access.rules import Terms
from portal.errors import Unavailable
from portal.platform import Platform
from portal.tables import stream as stream_module
from portal.tables.stream import StepLimits, Stream
from portal.tables.watchdog import Watchdog
from tests.extensions.access.conftest import Served
from tests.factories import SetClock

TERMS = Terms(
    fields=("stop_code", "stop_name", "duty_phone"), quota_day=1_000, per_minute=500, term_days=30
)
ALL = "/rows?format=ndjson"
ENDLESS = "SELECT i::VARCHAR FROM range(1000000000000) AS r(i)"


@pytest.fixture
def small(make_platform: Callable[..., Platform], serve: Callable[..., Served]) -> Served:
    return serve(make_platform("sqlite"), TERMS)


@pytest.fixture
def run() -> Iterator[Callable[..., Stream]]:
    with duckdb.connect(config={"memory_limit": "256MB"}) as connection:
        yield lambda sql, limits: Stream(connection.cursor(), sql, [], Watchdog(), limits)


def test_a_question_that_finds_no_first_row_in_time_is_stopped(run: Callable[..., Stream]) -> None:
    adding = "SELECT sum(hash(i))::VARCHAR FROM range(1000000000000) AS r(i)"
    with pytest.raises(Unavailable):
        next(run(adding, StepLimits(60, first=0.1)).texts(10))


def test_all_steps_together_are_bounded_however_short_each_is(run: Callable[..., Stream]) -> None:
    taken = run(ENDLESS, StepLimits(60, first=30, whole=0.05)).texts(2_000)
    with pytest.raises(Unavailable):
        for _ in taken:
            pass


def test_the_time_of_the_receiver_counts_for_nothing(
    run: Callable[..., Stream], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(stream_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    texts = run(ENDLESS, StepLimits(30, first=30, whole=30)).texts(10)
    for _ in range(5):
        assert len(next(texts)) == 10
        now[0] += 1_000


def code_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.get_json(force=True)["code"]


def test_a_stream_that_costs_too_much_is_an_error_before_its_first_row(
    small: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_answers, "STREAM_SECONDS", 0.0)
    assert code_of(small.get(ALL)) == (503, "unavailable")
    assert small.get("/rows").status_code == 200
    monkeypatch.setattr(row_answers, "STREAM_SECONDS", 60.0)
    assert small.get(ALL).status_code == 200


def test_the_rows_of_a_day_are_bounded_for_streams(
    small: Served, monkeypatch: pytest.MonkeyPatch, clock: SetClock
) -> None:
    monkeypatch.setattr(row_answers, "MAX_ROWS_A_DAY", 9)
    assert [small.get(ALL).status_code for _ in range(2)] == [200, 200]  # 4 rows each
    over = small.get(ALL)
    assert code_of(over) == (429, "quota_rows")
    assert int(over.headers["Retry-After"]) == 14 * 3600  # from 10:00 to 24:00 in Jilin
    assert small.get(f"{ALL}&limit=1").status_code == 200
    assert small.get("/rows").status_code == 200
    clock.advance(hours=14)
    assert small.get(ALL).status_code == 200


def test_a_grant_has_few_streams_at_once_and_gets_its_places_back(small: Served) -> None:
    running = [small.get(ALL) for _ in range(streams.MAX_STREAMS)]
    assert {one.status_code for one in running} == {200}
    over = small.get(ALL)
    assert code_of(over) == (429, "streams_busy")
    assert over.headers["Retry-After"]
    assert small.get("/rows").status_code == 200
    running[0].close()  # nobody read it
    assert small.get(ALL).data.count(b"\n") == 4  # read to its end
    assert small.get(f"{ALL}&sort=keeper").status_code == 400  # ends before it begins
    again = small.get(ALL)
    assert again.status_code == 200
    for one in (*running[1:], again):
        one.close()
    assert not streams._running
