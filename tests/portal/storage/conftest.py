"""Both stores, for one contract suite."""

from __future__ import annotations

import uuid

import pytest

from portal.storage import LocalStorage
from portal.storage.s3 import S3Storage


@pytest.fixture
def s3_place(s3_server, monkeypatch):
    """Return (endpoint_url, bucket) of the suite's S3 server, its keys in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.secret_key)
    return s3_server.endpoint_url, s3_server.bucket


@pytest.fixture
def s3_storage(s3_place, tmp_path):
    endpoint_url, bucket = s3_place
    prefix = f"test-{uuid.uuid4().hex}"
    store = S3Storage(
        bucket, prefix=prefix, endpoint_url=endpoint_url, cache_folder=tmp_path / "cache"
    )
    yield store
    for stored in list(store.list()):
        store.delete(stored.sha256)


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.s3)])
def storage(request, tmp_path):
    if request.param == "s3":
        return request.getfixturevalue("s3_storage")
    return LocalStorage(tmp_path / "store")
