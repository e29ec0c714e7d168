"""A bounded folder of files that can be made again: least recently used ones go first."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

LOCK_STRIPES = 64


class FileCache:
    """Files by name, made once by one process at a time and never replaced.

    Several processes may share the folder. A file used within `grace_seconds` is not evicted, so
    that a path just handed out can still be opened; the bound may be passed for that long.
    """

    def __init__(self, folder: Path, max_bytes: int, *, grace_seconds: float = 60.0) -> None:
        self.folder = Path(folder)
        self.max_bytes = max_bytes
        self._grace_seconds = grace_seconds
        self._locks = self.folder / ".locks"
        self.working = self.folder / ".working"
        for path in (self.folder, self._locks, self.working):
            path.mkdir(parents=True, exist_ok=True)

    def find(self, name: str) -> Path | None:
        """Return the path of a cached file and mark it used, or None."""
        path = self.folder / name
        try:
            os.utime(path)
        except FileNotFoundError:
            return None
        return path

    def get(self, name: str, make: Callable[[Path], None]) -> Path:
        """Return the path of `name`; when absent, `make(path)` writes it to a working path first.

        What `make` raises goes to the caller, and nothing is kept.
        """
        found = self.find(name)
        if found is not None:
            return found
        with self._locked(name):
            found = self.find(name)
            if found is not None:
                return found
            return self._make(name, make)

    def adopt(self, name: str, path: Path) -> None:
        """Move a complete file of the working folder into the cache."""
        os.replace(path, self.folder / name)
        self.evict()

    def remove(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def evict(self, *, keep: str = "") -> list[str]:
        """Remove the files longest unused until the bound holds; return their names.

        `keep` was just made for somebody, and stays though it alone may pass the bound.
        """
        entries = sorted(self._entries())
        excess = sum(size for _, size, _ in entries) - self.max_bytes
        removed = []
        newest_allowed = time.time() - self._grace_seconds
        for used_at, size, name in entries:
            if excess <= 0 or used_at > newest_allowed:
                break
            if name == keep:
                continue
            self.remove(name)
            removed.append(name)
            excess -= size
        return removed

    def _make(self, name: str, make: Callable[[Path], None]) -> Path:
        with tempfile.TemporaryDirectory(dir=self.working) as folder:
            made = Path(folder) / name
            make(made)
            os.utime(made)
            os.replace(made, self.folder / name)
        self.evict(keep=name)
        return self.folder / name

    def _entries(self) -> Iterator[tuple[float, int, str]]:
        with os.scandir(self.folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):  # another process evicts too
                    if entry.is_file(follow_symlinks=False):
                        status = entry.stat()
                        yield status.st_mtime, status.st_size, entry.name

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """Hold the lock of this name's stripe: it stops other threads and other processes."""
        stripe = sum(name.encode()) % LOCK_STRIPES
        descriptor = os.open(self._locks / f"{stripe:02d}", os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
