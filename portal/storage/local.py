"""A folder as store: `<root>/aa/bb/<sha256>`, uploads in progress in `<root>/.incoming`.

Uploads in parts grow in `<root>/.uploads`, on the same disk, so that a complete one is only renamed.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from portal.storage.base import ObjectMissing, StorageUnavailable, StoredObject
from portal.storage.hashing import (
    PIECE_BYTES,
    check_range,
    copy_and_hash,
    is_sha256,
    object_name,
)
from portal.storage.parts import LocalParts


class LocalStorage:
    """Objects are read-only files. Any number of processes may share the folder."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._incoming = self.root / ".incoming"
        self.parts = LocalParts(self.root / ".uploads")
        try:
            self._incoming.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageUnavailable(f"the storage folder cannot be made: {error}") from error

    def put(self, stream: BinaryIO, *, max_bytes: int | None = None) -> StoredObject:
        descriptor, temporary = self._new_file()
        try:
            with os.fdopen(descriptor, "wb") as target:
                stored = copy_and_hash(stream, target, max_bytes)
                self._keep(target, temporary, stored)
            return stored
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)

    def take(self, path: Path, stored: StoredObject) -> None:
        try:
            with path.open("rb") as target:
                self._keep(target, str(path), stored)
            path.unlink(missing_ok=True)  # the same content was there already
        except OSError as error:
            raise StorageUnavailable(f"the upload could not be kept: {error}") from error

    def open(self, sha256: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        check_range(start, length)
        try:
            source = open(self.root / object_name(sha256), "rb")  # noqa: SIM115 (the iterator closes it)
        except FileNotFoundError:
            raise ObjectMissing(sha256) from None
        except OSError as error:
            raise StorageUnavailable(str(error)) from error
        return _pieces(source, start, length)

    def stat(self, sha256: str) -> StoredObject:
        try:
            size = os.stat(self.root / object_name(sha256)).st_size
        except FileNotFoundError:
            raise ObjectMissing(sha256) from None
        except OSError as error:
            raise StorageUnavailable(str(error)) from error
        return StoredObject(sha256, size)

    def local_path(self, sha256: str) -> str:
        self.stat(sha256)
        return str(self.root / object_name(sha256))

    def internal_path(self, sha256: str) -> str:
        """Return `aa/bb/<sha256>`, to put after an nginx internal location (X-Accel-Redirect)."""
        self.stat(sha256)
        return object_name(sha256)

    def delete(self, sha256: str) -> None:
        """Remove an object; one already gone is no error, since a job may run twice."""
        with contextlib.suppress(FileNotFoundError, ObjectMissing):
            os.unlink(self.root / object_name(sha256))

    def list(self) -> Iterator[StoredObject]:
        for path in self.root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"):
            with contextlib.suppress(FileNotFoundError):  # deleted while we walk
                if is_sha256(path.name):
                    yield StoredObject(path.name, path.stat().st_size)

    def ping(self) -> None:
        """Write and remove an empty file: a full or read-only disk is found before an upload."""
        descriptor, temporary = self._new_file()
        os.close(descriptor)
        os.unlink(temporary)

    def remove_abandoned_uploads(self, *, older_than_seconds: int = 86400) -> int:
        """Remove what killed processes left half-written; return how many files went."""
        removed = 0
        for path in self._incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - older_than_seconds:
                    path.unlink()
                    removed += 1
        return removed

    def _new_file(self) -> tuple[int, str]:
        try:
            return tempfile.mkstemp(dir=self._incoming)
        except OSError as error:
            raise StorageUnavailable(f"the storage folder takes no file: {error}") from error

    def _keep(self, target: BinaryIO, temporary: str, stored: StoredObject) -> None:
        """Bring the bytes to the disk, then the name: after a power cut both are there or none."""
        place = self.root / object_name(stored.sha256)
        if place.exists():
            return
        try:
            target.flush()
            os.fchmod(target.fileno(), 0o444)
            os.fsync(target.fileno())
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(temporary, place)
            for folder in (place.parent, place.parent.parent, self.root):
                _sync_folder(folder)
        except OSError as error:
            raise StorageUnavailable(f"the upload could not be kept: {error}") from error


def _pieces(source: BinaryIO, start: int, length: int | None) -> Iterator[bytes]:
    with source:
        source.seek(start)
        left = length
        while left is None or left > 0:
            piece = source.read(PIECE_BYTES if left is None else min(PIECE_BYTES, left))
            if not piece:
                return
            if left is not None:
                left -= len(piece)
            yield piece


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
