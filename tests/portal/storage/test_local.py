from __future__ import annotations

import io
import os
import stat

import pytest

from portal.storage import LocalStorage, StorageUnavailable, open_storage
from portal.storage.s3 import S3Storage


def test_objects_lie_in_two_levels_of_folders(tmp_path):
    store = LocalStorage(tmp_path)
    sha256 = store.put(io.BytesIO(b"abc")).sha256
    assert store.internal_path(sha256) == f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
    path = tmp_path / store.internal_path(sha256)
    assert path.read_bytes() == b"abc"
    assert stat.S_IMODE(path.stat().st_mode) == 0o444


def test_a_full_disk_is_named_and_keeps_nothing(tmp_path):
    store = LocalStorage(tmp_path / "store")
    (tmp_path / "store" / ".incoming").rmdir()
    (tmp_path / "store" / ".incoming").write_text("in the way")
    with pytest.raises(StorageUnavailable):
        store.put(io.BytesIO(b"abc"))
    with pytest.raises(StorageUnavailable):
        store.ping()
    assert list(store.list()) == []


def test_half_written_files_of_killed_processes_are_swept_when_old(tmp_path):
    store = LocalStorage(tmp_path)
    old = tmp_path / ".incoming" / "old"
    old.write_bytes(b"half")
    os.utime(old, (1, 1))
    (tmp_path / ".incoming" / "new").write_bytes(b"half")
    assert store.remove_abandoned_uploads() == 1
    assert [path.name for path in (tmp_path / ".incoming").iterdir()] == ["new"]


def test_open_storage_reads_the_url(tmp_path, monkeypatch):
    local = open_storage(f"file://{tmp_path}/a%20b", cache_folder=tmp_path / "cache")
    assert isinstance(local, LocalStorage)
    assert (tmp_path / "a b").is_dir()
    remote = open_storage("s3://bucket/some/prefix", cache_folder=tmp_path / "cache")
    assert isinstance(remote, S3Storage)
    assert remote.bucket == "bucket"


@pytest.mark.parametrize(
    "url", ["", "/folder", "file://", "file:///", "file://host/x", "s3://", "ftp://a/b"]
)
def test_open_storage_refuses_other_urls(url, tmp_path):
    with pytest.raises(ValueError, match="neither"):
        open_storage(url, cache_folder=tmp_path)
