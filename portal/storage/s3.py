"""An S3 bucket as store, through boto3; local copies live in a bounded cache folder.

An object's key is its hash, known only once everything was read. So an upload first goes to a
file of the cache folder and is sent from there: the bucket never holds an unfinished or a
wrongly named object, a broken transfer can be sent again, and the file then serves as the local
copy that the table parser asks for next.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from portal.storage.base import ObjectMissing, StorageUnavailable, StoredObject
from portal.storage.file_cache import FileCache
from portal.storage.hashing import (
    PIECE_BYTES,
    check_range,
    copy_and_hash,
    is_sha256,
    object_name,
)
from portal.storage.s3_parts import S3Parts

MULTIPART_BYTES = 16 * 1024 * 1024
_MISSING = {"404", "NoSuchKey", "NotFound"}


class S3Storage:
    """Objects below `prefix` in one bucket. Thread-safe: a boto3 client may be shared.

    Credentials and region come from the usual AWS variables. `cache_folder` holds uploads in
    progress and at most about `cache_bytes` of local copies.
    """

    def __init__(
        self,
        bucket: str,
        *,
        prefix: str = "",
        endpoint_url: str = "",
        cache_folder: Path,
        cache_bytes: int = 4 * 1024**3,
    ) -> None:
        self.bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._cache = FileCache(cache_folder, cache_bytes)
        self._client = _client(endpoint_url)
        self.parts = S3Parts(self._client, bucket, self._prefix, self._cache.working, _translated)

    def put(self, stream: BinaryIO, *, max_bytes: int | None = None) -> StoredObject:
        try:
            descriptor, name = tempfile.mkstemp(dir=self._cache.working)
        except OSError as error:
            raise StorageUnavailable(f"the cache folder takes no file: {error}") from error
        path = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as spooled:
                stored = copy_and_hash(stream, spooled, max_bytes)
            self._upload(path, stored)
            self._cache.adopt(stored.sha256, path)
            return stored
        finally:
            path.unlink(missing_ok=True)

    def take(self, path: Path, stored: StoredObject) -> None:
        self._upload(path, stored)
        self._cache.adopt(stored.sha256, path)

    def open(self, sha256: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        check_range(start, length)
        size = self.stat(sha256).size_bytes
        end = size if length is None else min(size, start + length)
        if start >= end:
            return iter(())
        with _translated(sha256):
            answer = self._client.get_object(
                Bucket=self.bucket, Key=self._key(sha256), Range=f"bytes={start}-{end - 1}"
            )
        return _pieces(answer["Body"], sha256, end - start)

    def stat(self, sha256: str) -> StoredObject:
        with _translated(sha256):
            head = self._client.head_object(Bucket=self.bucket, Key=self._key(sha256))
        return StoredObject(sha256, head["ContentLength"])

    def local_path(self, sha256: str) -> str:
        object_name(sha256)
        return str(self._cache.get(sha256, lambda path: self._download(sha256, path)))

    def delete(self, sha256: str) -> None:
        """Remove an object; one already gone is no error, since a job may run twice."""
        with contextlib.suppress(ObjectMissing), _translated(sha256):
            self._client.delete_object(Bucket=self.bucket, Key=self._key(sha256))
            self._cache.remove(sha256)

    def list(self) -> Iterator[StoredObject]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self._prefix
        )
        with _translated(""):
            for page in pages:
                for item in page.get("Contents", ()):
                    sha256 = item["Key"].rpartition("/")[2]
                    if is_sha256(sha256) and item["Key"] == self._key(sha256):
                        yield StoredObject(sha256, item["Size"])

    def ping(self) -> None:
        with _translated(self.bucket):
            try:
                self._client.head_bucket(Bucket=self.bucket)
            except ClientError as error:
                raise StorageUnavailable(f"bucket {self.bucket}: {error}") from error

    def remove_abandoned_uploads(self, *, older_than_seconds: int = 86400) -> int:
        """Abort multipart uploads that killed processes left; return how many were aborted."""
        limit = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
        aborted = 0
        with _translated(""):
            answer = self._client.list_multipart_uploads(Bucket=self.bucket, Prefix=self._prefix)
            for upload in answer.get("Uploads", ()):
                if upload["Initiated"] < limit:
                    self._client.abort_multipart_upload(
                        Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )
                    aborted += 1
        return aborted

    def _key(self, sha256: str) -> str:
        return self._prefix + object_name(sha256)

    def _upload(self, path: Path, stored: StoredObject) -> None:
        with contextlib.suppress(ObjectMissing):
            if self.stat(stored.sha256).size_bytes == stored.size_bytes:
                return
        with _translated(stored.sha256, missing_is_failure=True):
            self._client.upload_file(
                str(path), self.bucket, self._key(stored.sha256), Config=_TRANSFER
            )

    def _download(self, sha256: str, path: Path) -> None:
        digest = hashlib.sha256()
        with path.open("wb") as target:
            for piece in self.open(sha256):
                digest.update(piece)
                target.write(piece)
        if digest.hexdigest() != sha256:
            raise StorageUnavailable(f"object {sha256} came back changed")
        path.chmod(0o444)


_TRANSFER = TransferConfig(
    multipart_threshold=MULTIPART_BYTES, multipart_chunksize=MULTIPART_BYTES, max_concurrency=2
)


def _client(endpoint_url: str) -> Any:
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        connect_timeout=3,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=32,
        # Only where S3 demands them: many S3-compatible servers know no trailing checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint_url or None,
        region_name=os.environ.get("AWS_REGION")
        or os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
        config=config,
    )


@contextlib.contextmanager
def _translated(sha256: str, *, missing_is_failure: bool = False) -> Iterator[None]:
    """Turn boto3's errors into the contract's."""
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _MISSING and not missing_is_failure:
            raise ObjectMissing(sha256) from None
        raise StorageUnavailable(str(error)) from error
    except (BotoCoreError, Boto3Error, HTTPError, OSError) as error:
        raise StorageUnavailable(str(error)) from error


def _pieces(body: Any, sha256: str, expected: int) -> Iterator[bytes]:
    """Yield the body; fewer bytes than the object has is a failure, never a short file."""
    with contextlib.closing(body):
        while expected > 0:
            with _translated(sha256):
                piece = body.read(min(PIECE_BYTES, expected))
            if not piece:
                raise StorageUnavailable(f"object {sha256} ended early")
            expected -= len(piece)
            yield piece
