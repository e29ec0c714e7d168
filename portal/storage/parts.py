"""Uploads in parts: bytes that arrived so far, outside everything that can be found by its hash."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from portal.storage.base import StorageUnavailable

_NAME = re.compile(r"[0-9a-f-]{36}")


def checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an upload")
    return name


class LocalParts:
    """One growing file an upload."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def reserve(self, name: str, size_bytes: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._folder).free
        if free < size_bytes:
            raise StorageUnavailable(f"{name}: {size_bytes} bytes asked for, {free} free") from (
                OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            )

    @contextlib.contextmanager
    def exclusive(self, name: str) -> Iterator[None]:
        with self._opened(name) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield

    def write(self, name: str, offset: int, data: bytes, token: str) -> str:
        try:
            with self._opened(name) as descriptor:
                if os.fstat(descriptor).st_size < offset:
                    raise StorageUnavailable(f"{name}: bytes before {offset} are missing")
                rest, place = memoryview(data), offset
                while rest:
                    written = os.pwrite(descriptor, rest, place)
                    rest, place = rest[written:], place + written
                os.fdatasync(descriptor)  # what the sender is told counts also after a power cut
        except OSError as error:
            raise StorageUnavailable(f"{name}: the part could not be written: {error}") from error
        return ""

    def discard(self, name: str, parts: Sequence[str]) -> None:
        """What lies beyond the offset is replaced by the next write."""

    @contextlib.contextmanager
    def whole(self, name: str, parts: Sequence[str], size_bytes: int) -> Iterator[Path]:
        path = self._folder / checked_name(name)
        try:
            if path.stat().st_size > size_bytes:  # of a part that was refused
                os.truncate(path, size_bytes)
            size = path.stat().st_size
        except OSError as error:
            raise StorageUnavailable(f"{name}: {error}") from error
        if size != size_bytes:
            raise StorageUnavailable(f"{name}: {size} bytes of {size_bytes}")
        yield path

    def remove(self, name: str) -> None:
        (self._folder / checked_name(name)).unlink(missing_ok=True)

    def list(self) -> Iterator[tuple[str, float]]:
        if not self._folder.exists():
            return
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if _NAME.fullmatch(path.name):
                    yield path.name, path.stat().st_mtime

    @contextlib.contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._folder / checked_name(name), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StorageUnavailable(f"{name}: {error}") from error
        try:
            yield descriptor
        finally:
            os.close(descriptor)
