"""The embedded engine's folder: several processes, swaps, damage."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from search import tantivy_folder
from search.engine import SearchUnavailable
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
    engine = TantivyEngine(tmp_path)

    def slow():
        yield entry(1, "题")
        with pytest.raises(SearchUnavailable, match="another writer"):
            TantivyEngine(tmp_path).write([entry(2, "题")], [])

    assert engine.rebuild(slow()) == 1


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


def test_a_failed_batch_leaves_nothing_and_blocks_nobody(tmp_path):
    engine = TantivyEngine(tmp_path)
    engine.write(catalogue(), [])
    bad = entry(9, "题", value_score="high")
    with pytest.raises(TypeError):
        engine.write([entry(8, "题"), bad], [])
    with pytest.raises(TypeError):
        engine.rebuild([entry(8, "题"), bad])
    assert total(engine) == 7
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1
    engine.write([entry(8, "题")], [])
    assert total(engine) == 8
