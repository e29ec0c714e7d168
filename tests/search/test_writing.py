"""The contract of both engines: writes in any order and repetition end the same; walks; rebuilds."""

from __future__ import annotations

import random

import pytest

from search.engine import IndexedVersion, SearchEngine
from search.request import SearchRequest
from tests.search.documents import PUBLIC, catalogue, entry


def state(engine: SearchEngine) -> dict[int, tuple[int, str]]:
    """Return what is findable: id → (version, title)."""
    hits = engine.search(SearchRequest(rows=100), PUBLIC).hits
    titles = {hit.id: hit.stored["title"] for hit in hits}
    found = {each.id: (each.version, titles[each.id]) for each in engine.versions()}
    assert len(found) == len(hits)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_reordered_and_repeated_writes_end_equal(engine, seed):
    events = [
        *((entry(1, f"题{version}", version=version), None) for version in range(1, 6)),
        (None, (2, 3)),
        *((entry(2, f"题{version}", version=version), None) for version in (1, 2, 3)),
        (None, (3, 2)),
        *((entry(3, f"题{version}", version=version), None) for version in (1, 3)),
    ]
    chance = random.Random(seed)
    events = chance.sample(events, len(events)) + chance.sample(events, 5)
    while events:
        batch, events = events[: (size := chance.randint(1, 4))], events[size:]
        engine.write([one for one, _ in batch if one], [gone for _, gone in batch if gone])
    assert state(engine) == {1: (5, "题5"), 3: (3, "题3")}


def test_a_write_is_searchable_on_return_and_a_new_version_replaces_the_old(engine):
    engine.write([entry(1, "公交")], [])
    assert engine.search(SearchRequest("公交"), PUBLIC).total == 1
    engine.write([entry(1, "医院", version=2)], [])
    assert engine.search(SearchRequest("公交"), PUBLIC).total == 0
    assert engine.search(SearchRequest("医院"), PUBLIC).total == 1
    engine.write([], [(1, 3)])
    assert engine.search(SearchRequest(), PUBLIC).total == 0
    engine.write([], [])


def test_a_tightened_entry_is_lost_to_the_public_at_once(engine):
    engine.write([entry(1, "公交")], [])
    engine.write([entry(1, "公交", version=2, labels=frozenset({"bureau"}))], [])
    assert engine.search(SearchRequest("公交"), PUBLIC).total == 0
    assert engine.search(SearchRequest("公交"), frozenset({"bureau"})).total == 1


def test_versions_name_everything_indexed(engine):
    engine.write([entry(n, "题", version=n + 1) for n in range(1200)], [(7, 50)])
    engine.write([entry(-5, "题", labels=frozenset({"org:A", "bureau"}))], [])
    found = list(engine.versions())
    assert len(found) == len({each.id for each in found}) == 1200
    assert IndexedVersion(-5, 1, frozenset({"org:A", "bureau"})) in found
    assert IndexedVersion(8, 9, PUBLIC) in found


def test_a_rebuild_holds_exactly_what_it_is_given(engine):
    engine.write([entry(1, "旧"), entry(2, "也旧")], [])
    assert engine.rebuild(catalogue()[2:]) == 5
    assert sorted(state(engine)) == [3, 4, 5, 6, 7]
    engine.write([entry(1, "新")], [])
    assert 1 in state(engine)
    assert engine.rebuild([]) == 0
    assert state(engine) == {}


def test_a_rebuild_takes_the_newest_of_repeated_entries(engine):
    assert (
        engine.rebuild([entry(1, "二", version=2), entry(1, "一"), entry(1, "三", version=3)]) == 1
    )
    assert state(engine) == {1: (3, "三")}


def test_a_failed_rebuild_leaves_the_live_index(engine):
    engine.write(catalogue(), [])

    def broken():
        yield entry(50, "新")
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        engine.rebuild(broken())
    assert sorted(state(engine)) == [1, 2, 3, 4, 5, 6, 7]
    engine.write([entry(8, "后")], [])
    assert engine.rebuild(catalogue()) == 7


def test_a_walk_misses_and_repeats_none_whatever_changes_meanwhile(engine):
    engine.write([entry(n, "公交", value_score=float(n % 7)) for n in range(57)], [])
    met: list[int] = []
    cursor: str | None = ""
    version = 1
    while cursor is not None:
        result = engine.search(SearchRequest("公交", rows=10, after=cursor), PUBLIC)
        met += [hit.id for hit in result.hits]
        cursor, version = result.next_cursor, version + 1
        changed = [
            entry(n, "公交", value_score=float(version), version=version) for n in range(20, 40)
        ]
        engine.write([*changed, entry(1000 + version, "医院")], [])
    assert met == list(range(57))


def test_a_walk_goes_through_thousands(engine):
    """Deeper than pages by number go, with writes between the pages that move entries about."""
    engine.rebuild([entry(n, "公交") for n in range(3_000)])
    met: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        result = engine.search(SearchRequest("公交", rows=500, after=cursor), PUBLIC)
        met += [hit.id for hit in result.hits]
        cursor = result.next_cursor
        version = 2 + len(met)
        moved = range(len(met) % 700, 3_000, 700)
        engine.write([entry(n, "公交", value_score=50.0, version=version) for n in moved], [])
    assert met == list(range(3_000))


def test_a_walk_of_relaxed_words_goes_on_relaxed(engine):
    engine.write([entry(n, "公交" if n % 2 else "医院") for n in range(9)], [])
    first = engine.search(SearchRequest("公交 医院", rows=5, after=""), PUBLIC)
    second = engine.search(SearchRequest("公交 医院", rows=5, after=first.next_cursor), PUBLIC)
    assert [hit.id for hit in first.hits + second.hits] == list(range(9))
    assert (first.total, second.next_cursor) == (9, None)
