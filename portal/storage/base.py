"""What a file store can do. Files are named by the SHA-256 of their content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


class StorageUnavailable(Exception):
    """The store does not answer, or the write broke; nothing was stored."""


class ObjectMissing(KeyError):
    """No object with this hash is stored."""


@dataclass(frozen=True)
class StoredObject:
    sha256: str  # lower-case hex
    size_bytes: int


class PartStore(Protocol):
    """Keeps the bytes of uploads that are under way, by name (a UUID).

    Bytes written beyond the offset that the caller counts may be there and count for nothing: a
    later write at that offset replaces them.
    """

    def reserve(self, name: str, size_bytes: int) -> None:
        """Raises: StorageUnavailable, there is no room for so much."""
        ...

    def exclusive(self, name: str) -> AbstractContextManager[None]:
        """Hold off other writers of the same upload, where they would meet."""
        ...

    def write(self, name: str, offset: int, data: bytes, token: str) -> str:
        """Keep the bytes for good and return what names them ("" where they need no name).

        Raises:
            StorageUnavailable: the write broke, or bytes before the offset are missing.
        """
        ...

    def discard(self, name: str, parts: Sequence[str]) -> None: ...

    def whole(
        self, name: str, parts: Sequence[str], size_bytes: int
    ) -> AbstractContextManager[Path]:
        """Return a local file with everything, which `Storage.take` may then take.

        Raises:
            StorageUnavailable: it is not of this size.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove everything of an upload; nothing to remove is no error."""
        ...

    def list(self) -> Iterator[tuple[str, float]]:
        """Yield (name, time of the last write as a timestamp), for the sweeper."""
        ...


class Storage(Protocol):
    """Content-addressed store: one object per content, written whole or not at all."""

    def put(self, stream: BinaryIO, *, max_bytes: int | None = None) -> StoredObject:
        """Hash while streaming in and keep the content; the same content twice is one object.

        Raises:
            portal.errors.TooLarge: longer than `max_bytes`; nothing is kept.
            StorageUnavailable: the store failed; nothing is kept.
        """
        ...

    def open(self, sha256: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the content, or a part of it, in pieces of 256 KiB at most. Raises ObjectMissing."""
        ...

    def stat(self, sha256: str) -> StoredObject: ...

    def local_path(self, sha256: str) -> str:
        """Return a path of a local, read-only copy (the file itself, or one in a bounded cache)."""
        ...

    def delete(self, sha256: str) -> None: ...

    def list(self) -> Iterator[StoredObject]:
        """Walk everything stored, for the sweeper of orphans."""
        ...

    def ping(self) -> None: ...

    @property
    def parts(self) -> PartStore:
        """Where uploads in parts grow until they are whole."""
        ...

    def take(self, path: Path, stored: StoredObject) -> None:
        """Keep a complete local file (of `parts.whole`) under its hash; the file is then gone.

        Raises:
            StorageUnavailable: nothing was kept.
        """
        ...

    def remove_abandoned_uploads(self, *, older_than_seconds: int = 86400) -> int:
        """Remove what killed processes left half-written; return how much went."""
        ...
