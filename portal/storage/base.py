"""What a file store can do. Files are named by the SHA-256 of their content."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from portal.storage.parts import PartStore


class StorageUnavailable(Exception):
    """The store does not answer, or the write broke; nothing was stored."""


class ObjectMissing(KeyError):
    """No object with this hash is stored."""


@dataclass(frozen=True)
class StoredObject:
    sha256: str  # lower-case hex
    size_bytes: int


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
