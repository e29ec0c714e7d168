from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.storage.file_cache import FileCache


def test_a_file_is_made_once_however_many_ask(tmp_path):
    cache = FileCache(tmp_path, 1000)
    made = []
    gate = threading.Barrier(6)

    def make(path):
        made.append(path.name)
        path.write_bytes(b"x" * 10)

    def ask(_):
        gate.wait()
        return cache.get("a", make)

    with ThreadPoolExecutor(6) as pool:
        paths = set(pool.map(ask, range(6)))
    assert made == ["a"]
    assert paths == {tmp_path / "a"}


def test_the_longest_unused_goes_first(tmp_path):
    cache = FileCache(tmp_path, 25, grace_seconds=0)
    for at, name in enumerate(("a", "b"), start=1):
        cache.get(name, lambda path: path.write_bytes(b"x" * 10) and None)
        os.utime(tmp_path / name, (at, at))
    assert cache.find("a")
    cache.get("c", lambda path: path.write_bytes(b"x" * 10) and None)
    assert cache.find("b") is None
    assert cache.find("a")
    assert cache.find("c")


def test_what_was_just_handed_out_stays_though_the_bound_is_passed(tmp_path):
    cache = FileCache(tmp_path, 5)
    path = cache.get("a", lambda path: path.write_bytes(b"x" * 10) and None)
    assert path.exists()


def test_a_failure_keeps_nothing(tmp_path):
    cache = FileCache(tmp_path, 100)

    def fail(path):
        path.write_bytes(b"half")
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        cache.get("a", fail)
    assert cache.find("a") is None
    assert list(cache.working.iterdir()) == []


def test_what_was_just_made_stays_though_it_alone_passes_the_bound(tmp_path):
    cache = FileCache(tmp_path, 5, grace_seconds=0)
    assert cache.get("a", lambda path: path.write_bytes(b"x" * 10) and None).exists()
    assert cache.get("b", lambda path: path.write_bytes(b"x" * 10) and None).exists()
    assert cache.find("a") is None
