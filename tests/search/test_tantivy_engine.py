"""The embedded engine's folder: several processes, swaps, damage."""

from __future__ import annotations

import multiprocessing
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from search import tantivy_folder
from search.engine import SearchFull, SearchUnavailable
from search.request import SearchRequest
from search.tantivy_engine import TantivyEngine
from tests.search.documents import PUBLIC, catalogue, entry


def total(engine: TantivyEngine) -> int:
    return engine.search(SearchRequest(), PUBLIC).total


def write_some(folder: Path, first: int) -> None:
    engine = TantivyEngine(folder)
    for number in range(first, first + 10):
        engine.write([entry(number, "公交")], [])


def test_other_readers_see_writes_and_swaps_at_once(tmp_path):
    writer, reader = TantivyEngine(tmp_path), TantivyEngine(tmp_path)
    assert total(reader) == 0
    writer.write(catalogue(), [])
    assert total(reader) == 7
    writer.rebuild(catalogue()[:2])
    assert total(reader) == 2
    writer.write([entry(9, "新")], [])
    assert total(reader) == 3
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1


def test_writers_in_several_processes_and_threads_wait_for_each_other(tmp_path):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=write_some, args=(tmp_path, 100 * n)) for n in range(2)]
    for process in processes:
        process.start()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: write_some(tmp_path, 1000 * n), range(1, 5)))
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert total(TantivyEngine(tmp_path)) == 60


def test_readers_go_on_while_the_index_is_rebuilt_again_and_again(tmp_path):
    engine = TantivyEngine(tmp_path)
    engine.rebuild(catalogue())
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(total, TantivyEngine(tmp_path)) for _ in range(20)]
        for _ in range(5):
            engine.rebuild(catalogue())
            running += [pool.submit(total, engine) for _ in range(20)]
        assert {future.result() for future in running} == {7}


def test_a_writer_that_waits_too_long_gives_up(tmp_path, monkeypatch):
    monkeypatch.setattr(tantivy_folder, "_LOCK_WAIT_SECONDS", 0.05)
    with (
        tantivy_folder.IndexFolder(tmp_path).writing(),
        pytest.raises(SearchUnavailable, match="another writer"),
    ):
        TantivyEngine(tmp_path).write([entry(2, "题")], [])


def test_two_rebuilds_at_once_are_refused(tmp_path):
    with (
        TantivyEngine(tmp_path).build(),
        pytest.raises(SearchUnavailable, match="another rebuild"),
    ):
        TantivyEngine(tmp_path).rebuild([entry(1, "题")])


def test_a_build_that_nobody_goes_on_with_is_given_up(tmp_path, monkeypatch):
    engine = TantivyEngine(tmp_path)
    engine.write(catalogue(), [])
    with engine.build() as build:
        build.add([engine.prepare(entry(1, "题"))], 1)
    engine.write([entry(8, "题")], [])
    assert len(list(tmp_path.glob("*.journal/*"))) == 1
    monkeypatch.setattr(tantivy_folder, "_OLDEST_BUILD_SECONDS", -1.0)
    engine.write([entry(9, "题")], [])
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1
    assert total(engine) == 9


def write_over_the_limit(folder: Path) -> None:
    """In a process whose files may not grow any more, as on a full disk."""
    engine = TantivyEngine(folder)
    engine.write(catalogue(), [])
    ceiling = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, ceiling[1]))
    with pytest.raises(SearchFull):
        engine.write([entry(8, "题")], [])
    with pytest.raises(SearchFull):
        engine.rebuild(catalogue())
    assert total(engine) == 7
    resource.setrlimit(resource.RLIMIT_FSIZE, ceiling)
    engine.write([entry(8, "题")], [])
    assert total(engine) == 8


def test_a_full_disk_refuses_writes_and_keeps_what_is_there(tmp_path):
    process = multiprocessing.get_context("spawn").Process(
        target=write_over_the_limit, args=(tmp_path,)
    )
    process.start()
    process.join()
    assert process.exitcode == 0
    assert total(TantivyEngine(tmp_path)) == 8


def test_an_index_of_another_release_asks_for_a_rebuild(tmp_path):
    engine = TantivyEngine(tmp_path)
    engine.write(catalogue(), [])
    (tmp_path / "current").write_text("f0-1-abc")
    for call in (lambda: total(engine), lambda: engine.write([entry(9, "题")], []), engine.ping):
        with pytest.raises(SearchUnavailable, match="rebuild"):
            call()
    engine.rebuild(catalogue())
    assert total(engine) == 7


def test_a_damaged_index_is_unavailable_until_rebuilt(tmp_path):
    engine = TantivyEngine(tmp_path)
    engine.write(catalogue(), [])
    name = (tmp_path / "current").read_text()
    (tmp_path / name / "meta.json").write_text("{")
    with pytest.raises(SearchUnavailable):
        total(TantivyEngine(tmp_path))
    with pytest.raises(SearchUnavailable):
        TantivyEngine(tmp_path).write([entry(9, "题")], [])
    TantivyEngine(tmp_path).rebuild(catalogue())
    assert total(engine) == 7


def test_a_failed_rebuild_leaves_nothing_behind(tmp_path):
    engine = TantivyEngine(tmp_path)
    engine.write(catalogue(), [])
    with pytest.raises(TypeError):
        engine.rebuild([entry(8, "题"), entry(9, "题", value_score="high")])
    assert total(engine) == 7
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1
