"""Copying a stream to a file while its hash is taken: what both stores do first."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator
from typing import BinaryIO

from portal.errors import TooLarge
from portal.storage.base import ObjectMissing, StorageUnavailable, StoredObject

PIECE_BYTES = 256 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


def is_sha256(text: str) -> bool:
    return _SHA256.fullmatch(text) is not None


def object_name(sha256: str) -> str:
    """Return `aa/bb/<sha256>`, the place of an object below its folder or prefix.

    Raises:
        ObjectMissing: not a hash at all, so nothing can be stored under it.
    """
    if not is_sha256(sha256):
        raise ObjectMissing(sha256)
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def copy_and_hash(source: BinaryIO, target: BinaryIO, max_bytes: int | None) -> StoredObject:
    """Copy everything in pieces of 256 KiB; the target's failures become StorageUnavailable.

    Failures of the source (a client that went away) are not the store's and go on as they are.
    """
    digest = hashlib.sha256()
    size = 0
    while piece := source.read(PIECE_BYTES):
        size += len(piece)
        if max_bytes is not None and size > max_bytes:
            raise TooLarge("文件超过允许的大小（{max_bytes} 字节）。", max_bytes=max_bytes)
        digest.update(piece)
        with _write_failures():
            target.write(piece)
    with _write_failures():
        target.flush()
    return StoredObject(digest.hexdigest(), size)


@contextlib.contextmanager
def _write_failures() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageUnavailable(f"the upload could not be written: {error}") from error


def check_range(start: int, length: int | None) -> None:
    if start < 0 or (length is not None and length < 0):
        raise ValueError("start and length of a range are 0 or more")
