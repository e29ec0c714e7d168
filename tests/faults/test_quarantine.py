"""A poison record is named and set aside; the others flow. Both engines."""

from __future__ import annotations

import pytest

from portal.app import create_app
from portal.models import CatalogueEntry, IndexRequest
from portal.platform import Platform
from portal.services import index_check, index_quarantine, index_rebuild, indexer
from portal.services.index_requests import request_index
from portal.services.work_list import WorkList
from tests.factories import Catalogue, People
from tests.faults.working import found_ids, index_everything

TOO_LONG = {"keywords": ["长" * 40_000]}  # longer than a term of Elasticsearch may be
UNREADABLE = {"items": "no list"}  # its document cannot be made at all


def _poison(platform: Platform, changes: dict[str, object]) -> tuple[int, list[int]]:
    """Publish three entries, the second as no form lets it in; return its id and the others'."""
    with platform.database.writing() as session:
        catalogue = Catalogue(platform, session, People(platform, session))
        first, poisoned, last = (catalogue.published() for _ in range(3))
        _write(poisoned, {**_content(poisoned), **changes}, "poisoned")
        return poisoned.id, [first.id, last.id]


def _content(entry: CatalogueEntry) -> dict[str, object]:
    assert entry.published_version is not None
    return dict(entry.published_version.content)


def _write(entry: CatalogueEntry, content: dict[str, object], digest: str) -> None:
    assert entry.published_version is not None
    entry.published_version.content = content
    entry.published_version.content_hash = f"{digest}-{entry.id}"


def _index_all(platform: Platform) -> None:
    for _ in range(index_quarantine.POISON_AFTER + 2):
        indexer.index_pending(platform.database, platform.engine, platform.clock)


def test_a_poison_record_is_named_and_holds_up_no_other(searching: Platform) -> None:
    poisoned, sound = _poison(searching, UNREADABLE)
    _index_all(searching)
    assert found_ids(searching) == set(sound)
    with searching.database.reading() as session:
        (named,) = index_quarantine.list_quarantined(session)
        people = People(searching, session)
        assert indexer.count_pending(session) == 0
    assert (named.entry_id, named.title != "") == (poisoned, True)
    assert "items" in named.reason
    difference = index_check.check(searching.database, searching.engine)
    assert (difference.missing, [q.entry_id for q in difference.quarantined]) == (
        (poisoned,),
        [poisoned],
    )
    health = create_app(searching).test_client().get("/health").json
    assert (health["index_pending"], health["index_quarantined"]) == (0, 1)
    with searching.database.writing() as session:
        people = People(searching, session)
        rows = WorkList(session, searching.clock, people.bureau).rows()
        assert [row.title for row in rows if row.kind == "unfindable"] == [named.title]
        assert not [
            row
            for row in WorkList(session, searching.clock, people.stranger).rows()
            if row.kind == "unfindable"
        ]


def test_what_was_mended_is_found_at_its_next_change_or_when_it_is_tried_again(
    searching: Platform,
) -> None:
    poisoned, sound = _poison(searching, UNREADABLE)
    _index_all(searching)
    with searching.database.writing() as session:
        entry = session.get_one(CatalogueEntry, poisoned)
        _write(entry, {**_content(entry), "items": []}, "mended")
        request_index(session, searching.clock, entry)
    index_everything(searching)
    assert found_ids(searching) == {poisoned, *sound}
    with searching.database.writing() as session:
        entry = session.get_one(CatalogueEntry, poisoned)
        _write(entry, {**_content(entry), **UNREADABLE}, "again")
        request_index(session, searching.clock, entry)
    _index_all(searching)
    with searching.database.writing() as session:
        entry = session.get_one(CatalogueEntry, poisoned)
        _write(entry, {**_content(entry), "items": []}, "mended")
        assert index_quarantine.retry_quarantined(session) == 1
    index_everything(searching)
    assert index_check.check(searching.database, searching.engine).is_empty


def test_a_rebuild_sets_the_poison_aside_and_goes_on(searching: Platform) -> None:
    poisoned, sound = _poison(searching, UNREADABLE)
    _index_all(searching)
    held = index_rebuild.rebuild(searching.database, searching.engine, searching.clock)
    assert held == len(sound)
    assert found_ids(searching) == set(sound)
    with searching.database.reading() as session:
        assert [q.entry_id for q in index_quarantine.list_quarantined(session)] == [poisoned]
    with searching.database.writing() as session:
        entry = session.get_one(CatalogueEntry, poisoned)
        _write(entry, {**_content(entry), "items": []}, "mended")
    index_rebuild.rebuild(searching.database, searching.engine, searching.clock)
    index_everything(searching)
    assert index_check.check(searching.database, searching.engine).is_empty


@pytest.mark.elasticsearch
@pytest.mark.parametrize("searching", ["elasticsearch"], indirect=True)
def test_a_record_that_the_engine_refuses_is_set_aside_with_its_reason(searching: Platform) -> None:
    poisoned, sound = _poison(searching, TOO_LONG)
    _index_all(searching)
    assert found_ids(searching) >= set(sound)
    with searching.database.reading() as session:
        row = session.get(IndexRequest, poisoned)
        if row is not None:
            assert row.attempts == index_quarantine.POISON_AFTER
            assert row.error
            assert index_rebuild.rebuild(
                searching.database, searching.engine, searching.clock
            ) == len(sound)
        else:  # the analysis made the word short enough for the engine
            assert poisoned in found_ids(searching)
