"""Quotas are exact under parallel calls, in the database and in Redis."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis

from extensions.access.rules import Terms
from portal.app import create_app
from portal.platform import Platform
from portal.services.rates import count_hit, peek_hits
from tests.extensions.access.conftest import Served
from tests.factories import NOW

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
