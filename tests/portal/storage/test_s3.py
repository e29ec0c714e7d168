from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest

from portal.storage import StorageUnavailable
from portal.storage.s3 import MULTIPART_BYTES, S3Storage
from tests.services.s3 import S3Server


@pytest.mark.s3
def test_a_big_file_goes_in_parts(s3_storage):
    content = os.urandom(1024) * (2 * MULTIPART_BYTES // 1024 + 1)
    stored = s3_storage.put(io.BytesIO(content))
    digest = hashlib.sha256()
    for piece in s3_storage.open(stored.sha256):
        digest.update(piece)
    assert digest.hexdigest() == stored.sha256
    assert (
        b"".join(s3_storage.open(stored.sha256, start=MULTIPART_BYTES - 3, length=6))
        == (content[MULTIPART_BYTES - 3 : MULTIPART_BYTES + 3])
    )


@pytest.mark.s3
def test_the_local_copy_is_fetched_again_when_it_is_gone(s3_storage):
    stored = s3_storage.put(io.BytesIO(b"content"))
    first = Path(s3_storage.local_path(stored.sha256))
    first.unlink()
    again = Path(s3_storage.local_path(stored.sha256))
    assert again.read_bytes() == b"content"


class StoppingUpload(io.BytesIO):
    """An upload in whose middle the S3 server goes away."""

    def __init__(self, content: bytes, stop) -> None:
        super().__init__(content)
        self._stop = stop

    def read(self, size: int = -1) -> bytes:
        if self.tell() > len(self.getvalue()) // 2 and self._stop:
            self._stop()
            self._stop = None
        return super().read(size)


@pytest.mark.s3
@pytest.mark.slow
def test_a_server_that_stops_in_mid_upload_keeps_nothing_and_may_come_back(
    s3_node, tmp_path, monkeypatch
):
    with s3_node() as node:
        server = S3Server.at(node.url, "outage")
        server.create_bucket()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)
        store = S3Storage("outage", endpoint_url=server.endpoint_url, cache_folder=tmp_path)
        content = os.urandom(3_000_000)
        with pytest.raises(StorageUnavailable):
            store.put(StoppingUpload(content, node.stop))
        node.start()
        assert list(store.list()) == []
        stored = store.put(io.BytesIO(content))
        assert list(store.list()) == [stored]


@pytest.mark.s3
def test_a_wrong_bucket_is_unavailable(s3_place, tmp_path):
    store = S3Storage("no-such-bucket", endpoint_url=s3_place[0], cache_folder=tmp_path)
    with pytest.raises(StorageUnavailable):
        store.ping()


def test_a_server_that_does_not_answer_is_unavailable_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    store = S3Storage("bucket", endpoint_url="http://127.0.0.1:9", cache_folder=tmp_path)
    with pytest.raises(StorageUnavailable):
        store.put(io.BytesIO(b"abc"))
    with pytest.raises(StorageUnavailable):
        store.open("0" * 64)
    with pytest.raises(StorageUnavailable):
        store.ping()
    with pytest.raises(StorageUnavailable):
        list(store.list())
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size] == []
