"""What every store does, held for the folder and for a real S3 server."""

from __future__ import annotations

import copy
import hashlib
import io
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from portal.errors import TooLarge
from portal.storage import LocalStorage, ObjectMissing, StorageUnavailable
from portal.storage.hashing import PIECE_BYTES

ABSENT = "0" * 64


class BrokenUpload(io.RawIOBase):
    """A client that sends 300 KiB and goes away."""

    def __init__(self) -> None:
        self._left = 2

    def read(self, size: int = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise ConnectionResetError("gone")
        return b"x" * 150_000


def test_content_comes_back_under_its_hash(storage):
    content = os.urandom(700_000)
    stored = storage.put(io.BytesIO(content))
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    assert stored.size_bytes == 700_000
    pieces = list(storage.open(stored.sha256))
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= PIECE_BYTES
    assert storage.stat(stored.sha256) == stored


def test_the_same_content_twice_is_one_object(storage):
    first = storage.put(io.BytesIO(b"same"))
    assert storage.put(io.BytesIO(b"same")) == first
    assert list(storage.list()) == [first]


def test_an_empty_file_is_an_object(storage):
    stored = storage.put(io.BytesIO(b""))
    assert stored.size_bytes == 0
    assert list(storage.open(stored.sha256)) == []
    assert Path(storage.local_path(stored.sha256)).read_bytes() == b""


@pytest.mark.parametrize(
    ("start", "length"),
    [(0, 1), (10, 20), (0, None), (999_999, None), (262_143, 2), (500_000, 10**9), (5, 0)],
)
def test_a_range_is_the_slice(storage, start, length):
    content = bytes(range(250)) * 4000
    sha256 = storage.put(io.BytesIO(content)).sha256
    end = None if length is None else start + length
    assert b"".join(storage.open(sha256, start=start, length=length)) == content[start:end]


def test_a_range_behind_the_end_is_empty_and_a_negative_one_is_refused(storage):
    sha256 = storage.put(io.BytesIO(b"abc")).sha256
    assert list(storage.open(sha256, start=3)) == []
    with pytest.raises(ValueError, match="0 or more"):
        storage.open(sha256, start=-1)


def test_too_long_keeps_nothing(storage):
    with pytest.raises(TooLarge) as caught:
        storage.put(io.BytesIO(b"x" * 11), max_bytes=10)
    assert "10" in caught.value.text()
    assert list(storage.list()) == []
    assert storage.put(io.BytesIO(b"x" * 10), max_bytes=10).size_bytes == 10


def test_a_broken_upload_keeps_nothing_and_names_its_own_cause(storage, tmp_path):
    with pytest.raises(ConnectionResetError):
        storage.put(BrokenUpload())
    assert list(storage.list()) == []
    left = [p for p in tmp_path.rglob("*") if p.is_file() and p.stat().st_size]
    assert left == []


@pytest.mark.parametrize("name", [ABSENT, "", "../../etc/passwd", "A" * 64, "0" * 63])
def test_what_is_not_stored_is_missing(storage, name):
    for use in (storage.open, storage.stat, storage.local_path):
        with pytest.raises(ObjectMissing):
            use(name)


def test_delete_removes_and_may_be_repeated(storage):
    stored = storage.put(io.BytesIO(b"bye"))
    storage.local_path(stored.sha256)
    storage.delete(stored.sha256)
    storage.delete(stored.sha256)
    with pytest.raises(ObjectMissing):
        storage.stat(stored.sha256)
    with pytest.raises(ObjectMissing):
        storage.local_path(stored.sha256)


def test_local_path_holds_the_content_and_is_read_only(storage):
    stored = storage.put(io.BytesIO(b"content"))
    path = Path(storage.local_path(stored.sha256))
    assert path.read_bytes() == b"content"
    if type(storage).__name__ == "LocalStorage":
        assert path.stat().st_mode & 0o222 == 0


def test_many_threads_may_put_the_same_and_different_contents(storage):
    contents = [b"shared"] * 8 + [str(number).encode() for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda content: storage.put(io.BytesIO(content)), contents))
    assert len({one.sha256 for one in stored}) == 9
    assert sorted(one.sha256 for one in storage.list()) == sorted({one.sha256 for one in stored})


def test_ping_leaves_nothing_and_tells_when_nothing_can_be_kept(storage):
    storage.ping()
    assert list(storage.list()) == []
    lost = copy.copy(storage)
    if isinstance(storage, LocalStorage):
        shutil.rmtree(storage.root)
    else:
        lost.bucket += "-gone"
    with pytest.raises(StorageUnavailable):
        lost.ping()
