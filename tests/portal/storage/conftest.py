"""Both stores, for one contract suite."""

from __future__ import annotations

import os
import uuid

import pytest

from portal.storage import LocalStorage, S3Storage


@pytest.fixture
def s3_place(request):
    """Return (endpoint_url, bucket) of the suite's S3 server, or of one named by the environment."""
    endpoint = os.environ.get("XIANGYUN_TEST_S3_ENDPOINT")
    if endpoint:
        return endpoint, os.environ.get("XIANGYUN_TEST_S3_BUCKET", "xiangyun-test")
    try:
        server = request.getfixturevalue("s3_server")
    except pytest.FixtureLookupError:
        pytest.skip("no S3 server: neither the fixture s3_server nor XIANGYUN_TEST_S3_ENDPOINT")
    return server.endpoint_url, server.bucket


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
