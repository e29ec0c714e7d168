"""Quotas are exact under parallel calls, in the database and in Redis."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import func, select

from extensions.access.models import ApiCall
from extensions.access.rules import Terms
from portal.app import create_app
from portal.clock import system_clock
from portal.platform import Platform
from portal.services.rates import count_hit, peek_hits
from tests.extensions.access.conftest import Served
from tests.factories import NOW, SetClock

LIMIT, CALLS, THREADS = 25, 60, 8
TERMS = Terms(fields=("stop_code",), quota_day=LIMIT, per_minute=1000, term_days=30)


def statuses_of_parallel_calls(served: Served) -> list[int]:
    """Call through two applications of one platform, from many threads."""
    apps = [create_app(served.platform) for _ in range(2)]
    headers = {"Authorization": f"Bearer {served.secret}"}

    def call(number: int) -> int:
        client = apps[number % 2].test_client()
        return client.get("/data/v1/bus-stops", headers=headers).status_code

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(call, range(CALLS)))


def test_the_quota_is_exact_in_the_database(
    platform: Platform, serve: Callable[..., Served]
) -> None:
    statuses = statuses_of_parallel_calls(serve(platform, TERMS))
    assert sorted(set(statuses)) == [200, 429]
    assert statuses.count(200) == LIMIT


@pytest.mark.redis
def test_the_quota_is_exact_in_redis(
    make_platform: Callable[..., Platform], serve: Callable[..., Served], redis_url: str
) -> None:
    served = serve(make_platform("sqlite", redis_url=redis_url), TERMS)
    assert statuses_of_parallel_calls(served).count(200) == LIMIT
    with Redis.from_url(redis_url) as client:
        assert client.keys("xiangyun:rate:access:*:day:*")


@pytest.mark.redis
def test_the_database_counts_while_redis_is_away(
    make_platform: Callable[..., Platform], serve: Callable[..., Served], redis_node: Any
) -> None:
    with redis_node() as node:
        served = serve(make_platform("sqlite", redis_url=node.url), TERMS)
        assert served.get().status_code == 200
        node.stop()
        statuses = [served.get().status_code for _ in range(LIMIT + 1)]
    assert statuses == [200] * LIMIT + [429]


@pytest.mark.redis
def test_redis_windows_begin_and_end_like_the_databases(redis_url: str) -> None:
    with Redis.from_url(redis_url) as client:
        first = count_hit(client, NOW, "k", limit=2, window_seconds=86400, offset_seconds=28800)
        assert (first.remaining, first.reset_seconds) == (1, 14 * 3600)
        count_hit(client, NOW, "k", limit=2, window_seconds=86400, offset_seconds=28800)
        assert not peek_hits(
            client, NOW, "k", limit=2, window_seconds=86400, offset_seconds=28800
        ).allowed
        midnight = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
        assert count_hit(
            client, midnight, "k", limit=2, window_seconds=86400, offset_seconds=28800
        ).allowed


PROCESSES, ALL_CALLS, ALLOWED = 4, 200, 100


@pytest.fixture
def processes(
    make_platform: Callable[..., Platform],
    serve: Callable[..., Served],
    clock: SetClock,
    redis_url: str,
) -> Iterator[tuple[Served, list[subprocess.Popen[str]]]]:
    """Four processes that are ready to call, fifty times each."""
    clock.now = system_clock()
    terms = Terms(fields=("stop_code",), quota_day=ALLOWED, per_minute=6_000, term_days=30)
    served = serve(make_platform("sqlite"), terms)
    command = [
        sys.executable, "-m", "tests.extensions.access.caller",
        str(served.platform.settings.home), redis_url, served.secret, str(ALL_CALLS // PROCESSES),
    ]  # fmt: skip
    running = [
        subprocess.Popen(
            command, cwd=Path(__file__).parents[3], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )
        for _ in range(PROCESSES)
    ]  # fmt: skip
    yield served, running
    for one in running:
        one.kill()
        one.wait()


def lines_of(running: list[subprocess.Popen[str]]) -> list[str]:
    return [one.stdout.readline() for one in running if one.stdout]


def go(running: list[subprocess.Popen[str]]) -> list[int]:
    for one in running:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    return [int(word) for line in lines_of(running) for word in line.split()]


@pytest.mark.slow
@pytest.mark.redis
def test_the_day_is_exact_over_four_processes_in_either_store(
    processes: tuple[Served, list[subprocess.Popen[str]]],
) -> None:
    served, running = processes
    assert lines_of(running) == ["ready\n"] * PROCESSES
    for counted in (1, 2):  # by the database, then by Redis
        statuses = go(running)
        assert (statuses.count(200), statuses.count(429)) == (ALLOWED, ALL_CALLS - ALLOWED)
        with served.platform.database.reading() as session:
            assert session.scalar(select(func.sum(ApiCall.calls))) == counted * ALLOWED


def test_a_second_has_its_own_limit_and_its_refusals_cost_nothing(
    platform: Platform, serve: Callable[..., Served], clock: SetClock
) -> None:
    terms = Terms(fields=("stop_code",), quota_day=8, per_minute=1000, term_days=30, per_second=3)
    served = serve(platform, terms)
    assert statuses_of_parallel_calls(served).count(200) == 3
    over = served.get("/count")
    assert over.get_json(force=True)["code"] == "quota_second"
    assert (over.headers["Retry-After"], over.headers["RateLimit-Limit"]) == ("1", "3")
    assert over.headers["RateLimit-Policy"] == "3;w=1, 1000;w=60, 8;w=86400"
    clock.advance(seconds=1)
    assert [served.get("/count").status_code for _ in range(4)] == [200, 200, 200, 429]
    clock.advance(seconds=1)
    assert [served.get("/count").status_code for _ in range(3)] == [200, 200, 429]


def test_a_term_that_is_used_up_says_when_it_ends(
    make_platform: Callable[..., Platform], serve: Callable[..., Served]
) -> None:
    terms = Terms(fields=("stop_code",), quota_day=100, per_minute=100, term_days=1, quota_term=2)
    served = serve(make_platform("sqlite"), terms)
    assert [served.get("/count").status_code for _ in range(3)] == [200, 200, 429]
    over = served.get("/count")
    assert over.get_json(force=True)["code"] == "quota_term"
    assert int(over.headers["Retry-After"]) == (24 + 14) * 3600  # to the end of tomorrow
