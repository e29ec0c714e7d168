"""The index is rebuilt while people publish and search: no write lost, no search shrinks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import pytest

from portal.models import CatalogueEntry
from portal.platform import Platform
from portal.services import index_check, index_rebuild, indexer
from search.document import SearchDocument
from search.elasticsearch_build import ElasticsearchBuild
from search.engine import SearchEngine
from search.prepared import Refusals
from search.request import FacetAsk
from search.tantivy_build import TantivyBuild
from tests.factories import Catalogue, People
from tests.faults.working import (
    committing,
    found_ids,
    index_everything,
    running_worker,
    search,
    threads_of,
    wait_until,
)

BEFORE, MEANWHILE, REBUILDS = 40, 25, 6


@pytest.mark.slow
def test_publishing_and_searching_go_on_while_the_index_is_rebuilt(searching: Platform) -> None:
    with committing(searching) as catalogue:
        before = {catalogue.published().id for _ in range(BEFORE)}
    index_everything(searching)
    published: set[int] = set()
    writing = threading.Event()
    writing.set()
    totals: list[int] = []

    def publish() -> None:
        try:
            for _ in range(MEANWHILE):
                with committing(searching) as catalogue:
                    published.add(catalogue.published().id)
        finally:
            writing.clear()

    def rebuild() -> None:
        for _ in range(REBUILDS):
            index_rebuild.rebuild(searching.database, searching.engine, searching.clock)

    def read() -> None:
        while writing.is_set():
            result = search(searching, rows=0, facets=(FacetAsk("theme"),))
            (theme,) = result.facets["theme"]
            assert theme.count >= BEFORE
            totals.append(result.total)

    with running_worker(searching):
        assert threads_of(publish, rebuild, read) == []
        wait_until(lambda: found_ids(searching) == before | published, 20)
    assert len(totals) > 5
    assert min(totals) >= BEFORE
    assert totals == sorted(totals), "a search found less than one before it"
    assert index_check.check(searching.database, searching.engine).is_empty


@pytest.mark.parametrize("at", ["before", "while filling"])
def test_what_was_written_while_an_index_is_built_is_searchable_right_after_the_swap(
    searching: Platform, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """Also if the last write comes when the rebuild is about to swap."""
    with searching.database.writing() as session:
        people = People(searching, session)
        entries = [Catalogue(searching, session, people).published() for _ in range(3)]
        ids, bureau = [entry.id for entry in entries], people.bureau
    index_everything(searching)

    def meanwhile() -> None:
        _retire(searching, bureau, ids[0])
        with committing(searching) as catalogue:
            ids.append(catalogue.published().id)
        index_everything(searching)
        assert found_ids(searching) == set(ids[1:])

    for kind in (TantivyBuild, ElasticsearchBuild):
        _before(monkeypatch, kind, "publish" if at == "before" else "add", meanwhile)
    index_rebuild.rebuild(searching.database, searching.engine, searching.clock)
    assert found_ids(searching) == set(ids[1:])
    assert index_check.check(searching.database, searching.engine).is_empty


def _before(
    monkeypatch: pytest.MonkeyPatch, kind: type, method: str, meanwhile: Callable[[], None]
) -> None:
    """Let something happen before the first call of a build's method."""
    original, happened = getattr(kind, method), threading.Event()

    def wrapped(build: object, *given: object) -> object:
        if not happened.is_set():
            happened.set()
            meanwhile()
        return original(build, *given)

    monkeypatch.setattr(kind, method, wrapped)


def test_an_entry_retired_while_the_index_is_rebuilt_is_found_no_more(searching: Platform) -> None:
    with searching.database.writing() as session:
        people = People(searching, session)
        entries = [Catalogue(searching, session, people).published() for _ in range(8)]
        ids, bureau = [entry.id for entry in entries], people.bureau
    index_everything(searching)

    def documents_with_a_retirement() -> Iterable[SearchDocument]:
        """The rebuild has read the entry as public; then it is retired and indexed as such."""
        with searching.database.reading() as session:
            documents = list(indexer.all_documents(session))
        yield from documents[:4]
        _retire(searching, bureau, ids[-1])
        yield from documents[4:]

    searching.engine.rebuild(documents_with_a_retirement())
    assert found_ids(searching) == set(ids[:-1])
    index_everything(searching)
    assert found_ids(searching) == set(ids[:-1])
    assert index_check.check(searching.database, searching.engine).is_empty


def _retire(platform: Platform, bureau: object, entry_id: int) -> None:
    with platform.database.writing() as session:
        people = People(platform, session)
        entry = session.get(CatalogueEntry, entry_id)
        assert entry is not None
        Catalogue(platform, session, people).entries.retire(
            people.bureau, entry, reason="停止更新", consequences_shown=True
        )


class _HeldUp:
    """The real engine, to which one worker's batch arrives late."""

    def __init__(self, engine: SearchEngine, meanwhile: Callable[[], None]) -> None:
        self._engine, self._meanwhile = engine, meanwhile

    def write(
        self, documents: Iterable[SearchDocument], removed: Iterable[tuple[int, int]]
    ) -> Refusals:
        self._meanwhile()
        return self._engine.write(documents, removed)


def test_a_workers_late_batch_does_not_bring_a_retired_entry_back(searching: Platform) -> None:
    """Between its reading and its writing the entry is retired, indexed, and the index rebuilt."""
    with committing(searching) as catalogue:
        entry_id = catalogue.published().id

    def meanwhile() -> None:
        _retire(searching, None, entry_id)
        index_everything(searching)
        index_rebuild.rebuild(searching.database, searching.engine, searching.clock)

    late = _HeldUp(searching.engine, meanwhile)
    indexer.index_pending(searching.database, late, searching.clock)  # type: ignore[arg-type]
    assert found_ids(searching) == set()
    index_everything(searching)
    assert found_ids(searching) == set()
    assert index_check.check(searching.database, searching.engine).is_empty


@pytest.mark.slow
def test_a_rebuild_that_is_cut_off_leaves_the_old_index(searching: Platform) -> None:
    with committing(searching) as catalogue:
        ids = {catalogue.published().id for _ in range(5)}
    index_everything(searching)

    def breaking() -> Iterable[SearchDocument]:
        with searching.database.reading() as session:
            yield next(iter(indexer.all_documents(session)))
        raise ConnectionError("the database went away")

    with pytest.raises(ConnectionError):
        searching.engine.rebuild(breaking())
    assert found_ids(searching) == ids
    with committing(searching) as catalogue:
        ids.add(catalogue.published().id)
    index_everything(searching)
    assert found_ids(searching) == ids
    assert index_check.check(searching.database, searching.engine).is_empty
