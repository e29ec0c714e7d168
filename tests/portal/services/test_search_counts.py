"""What is counted of searches, when it is written, and what is forgotten."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.clock import local_date
from portal.jobs.kinds import sweep
from portal.models.search_count import SearchCount, SearchVisitor
from portal.platform import Platform
from portal.services.search_counts import (
    MOST_PENDING,
    SearchCounts,
    list_searches,
    proven_searches,
)
from tests.factories import SetClock


def counts_of(platform: Platform, seconds: float = 3600.0) -> SearchCounts:
    return SearchCounts(platform.database, platform.clock, "secret", seconds=seconds)


def rows(platform: Platform) -> dict[tuple[str, str], tuple[int, int]]:
    with platform.database.reading() as session:
        return {
            (one.words, one.outcome): (one.count, one.visitors)
            for one in session.scalars(select(SearchCount))
        }


def test_searches_of_several_processes_add_up(platform: Platform) -> None:
    one, other = counts_of(platform), counts_of(platform)
    for visitor in ("a", "b", "a"):
        one.note("公交  线路", "found", visitor)
    other.note("公交 线路", "found", "b")
    other.note("公交 线路", "found", "c")
    other.note("火星", "none", "a")
    assert rows(platform) == {}
    one.flush()
    other.flush()
    assert rows(platform) == {("公交 线路", "found"): (5, 3), ("火星", "none"): (1, 1)}
    one.flush()
    assert rows(platform)[("公交 线路", "found")] == (5, 3)


def test_no_personal_word_and_no_visitor_is_written(platform: Platform) -> None:
    counts = counts_of(platform)
    counts.note("13800138000", "none", "203.0.113.9|Mozilla")
    counts.note("公交", "found", "203.0.113.9|Mozilla")
    counts.note("医院", "found", "203.0.113.9|Mozilla")
    counts.flush()
    with platform.database.reading() as session:
        marks = list(session.scalars(select(SearchVisitor.mark)))
        assert len(set(marks)) == 2, "nothing joins two searches of one visitor"
        assert not any("203" in mark and "." in mark for mark in marks)
    assert set(rows(platform)) == {("公交", "found"), ("医院", "found")}


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_the_batch_is_written_by_itself_and_no_search_waits(platform: Platform) -> None:
    counts = counts_of(platform, seconds=0.05)
    with platform.database.writing():
        started = time.monotonic()
        counts.note("公交", "found", "a")
        assert time.monotonic() - started < 0.04, "another's transaction is not waited for"
    end = time.monotonic() + 5
    while not rows(platform) and time.monotonic() < end:
        time.sleep(0.01)
    assert rows(platform) == {("公交", "found"): (1, 1)}


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_memory_is_bounded(platform: Platform) -> None:
    counts = counts_of(platform)
    for number in range(MOST_PENDING + 50):
        counts.note(f"词{number}", "none", "a")
    counts.note("词1", "none", "b")
    counts.flush()
    with platform.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(SearchCount)) == MOST_PENDING
    assert rows(platform)[("词1", "none")] == (2, 2)


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_threads_lose_no_count(platform: Platform) -> None:
    counts = counts_of(platform, seconds=0.02)

    def search(visitor: str) -> None:
        for _ in range(50):
            counts.note("公交", "found", visitor)
            time.sleep(0.001)

    threads = [threading.Thread(target=search, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts.close()
    end = time.monotonic() + 5
    while rows(platform).get(("公交", "found")) != (200, 4) and time.monotonic() < end:
        time.sleep(0.01)
    assert rows(platform) == {("公交", "found"): (200, 4)}


def test_only_what_several_visitors_found_is_offered(platform: Platform, clock: SetClock) -> None:
    counts = counts_of(platform)
    for visitor in "abcde":
        counts.note("公交", "found", visitor)
        counts.note("火星", "none", visitor)
    for _ in range(50):
        counts.note("机器人", "found", "one and the same")
    counts.flush()
    for _ in range(5):
        counts.note("医院", "found", "one person on five days")
        counts.flush()
        clock.now += timedelta(days=1)
    with platform.database.reading() as session:
        today = local_date(clock())
        assert proven_searches(session, today) == ["公交", "医院"]
        assert proven_searches(session, today + timedelta(days=400)) == []


def test_marks_are_forgotten_the_night_after(platform: Platform, clock: SetClock) -> None:
    counts = counts_of(platform)
    counts.note("公交", "found", "a")
    counts.flush()
    sweep(platform, {})
    assert marks(platform) == 1
    clock.now += timedelta(days=1)
    sweep(platform, {})
    assert marks(platform) == 0
    assert rows(platform) == {("公交", "found"): (1, 1)}
    clock.now += timedelta(days=500)
    sweep(platform, {})
    assert rows(platform) == {}


def marks(platform: Platform) -> int:
    with platform.database.reading() as session:
        return session.scalar(select(func.count()).select_from(SearchVisitor)) or 0


def test_the_commonest_come_first(platform: Platform, session: Session) -> None:
    session.close()
    counts = counts_of(platform)
    for words, visitors in (("一", "a"), ("二", "abc"), ("三", "ab")):
        for visitor in visitors:
            counts.note(words, "none", visitor)
    counts.flush()
    with platform.database.reading() as reading:
        since = local_date(platform.clock())
        found, total = list_searches(reading, "none", since, limit=2)
        assert [(one.words, one.count, one.visitors, one.days) for one in found] == [
            ("二", 3, 3, 1),
            ("三", 2, 2, 1),
        ]
        assert total == 3
        assert list_searches(reading, "none", since, limit=2, offset=2)[0][0].words == "一"
        assert list_searches(reading, "found", since, limit=2) == ([], 0)
