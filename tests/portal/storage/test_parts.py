"""Uploads in parts, on both stores: they grow, survive a repeated part, and become an object."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import uuid

import pytest

from portal.storage.base import ObjectMissing, StorageUnavailable, StoredObject


@pytest.fixture
def name(storage):
    made = str(uuid.uuid4())
    yield made
    storage.parts.remove(made)


def token():
    return str(uuid.uuid4())


def write_all(storage, name, pieces):
    parts, offset = [], 0
    for piece in pieces:
        with storage.parts.exclusive(name):
            parts.append(storage.parts.write(name, offset, piece, token()))
        offset += len(piece)
    return parts, offset


def test_parts_become_an_object_under_its_hash(storage, name):
    pieces = [b"a" * 300_000, b"b", b"c" * 5]
    parts, size = write_all(storage, name, pieces)
    data = b"".join(pieces)
    stored = StoredObject(hashlib.sha256(data).hexdigest(), len(data))
    with storage.parts.whole(name, parts, size) as path:
        assert path.read_bytes() == data
        with pytest.raises(ObjectMissing):
            storage.stat(stored.sha256)
        storage.take(path, stored)
        assert not path.exists()
    assert b"".join(storage.open(stored.sha256)) == data
    storage.parts.remove(name)
    assert name not in dict(storage.parts.list())


def test_the_same_content_twice_is_one_object(storage, name):
    stored = storage.put(io.BytesIO(b"same"))
    parts, size = write_all(storage, name, [b"same"])
    with storage.parts.whole(name, parts, size) as path:
        storage.take(path, stored)
        assert not path.exists()
    assert list(storage.list()) == [stored]


def test_a_part_that_does_not_count_is_replaced(storage, name):
    first, _ = write_all(storage, name, [b"0123"])
    lost = storage.parts.write(name, 4, b"wrong and longer", token())
    storage.parts.discard(name, [lost])
    again = storage.parts.write(name, 4, b"56", token())
    with storage.parts.whole(name, [*first, again], 6) as path:
        assert path.read_bytes() == b"012356"


def test_what_is_not_whole_is_refused(storage, name):
    parts, _ = write_all(storage, name, [b"0123"])
    with pytest.raises(StorageUnavailable), storage.parts.whole(name, parts, 5):
        pass


def test_uploads_are_no_objects_and_are_listed_by_themselves(storage, name):
    write_all(storage, name, [b"half"])
    assert list(storage.list()) == []
    assert name in dict(storage.parts.list())
    storage.parts.remove(name)
    storage.parts.remove(name)
    assert name not in dict(storage.parts.list())


@pytest.mark.parametrize("bad", ["", "../x", "a/b", "x" * 36])
def test_names_are_no_paths(storage, bad):
    with pytest.raises(ValueError, match="no name"):
        storage.parts.write(bad, 0, b"x", token())
    with pytest.raises(ValueError, match="no name"):
        storage.parts.remove(bad)


def test_bytes_that_went_missing_are_noticed(tmp_path):
    from portal.storage import LocalStorage

    parts = LocalStorage(tmp_path).parts
    with pytest.raises(StorageUnavailable, match="missing"):
        parts.write(str(uuid.uuid4()), 5, b"x", token())


def test_no_room_is_said_before_the_first_byte(tmp_path):
    from portal.storage import LocalStorage

    with pytest.raises(StorageUnavailable) as caught:
        LocalStorage(tmp_path).parts.reserve(str(uuid.uuid4()), 2**60)
    cause = caught.value.__cause__
    assert isinstance(cause, OSError)
    assert cause.errno == errno.ENOSPC


def test_a_full_disk_in_mid_part_is_named(tmp_path, monkeypatch):
    from portal.storage import LocalStorage

    def full(*_arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StorageUnavailable) as caught:
        LocalStorage(tmp_path).parts.write(str(uuid.uuid4()), 0, b"x", token())
    assert caught.value.__cause__.errno == errno.ENOSPC
