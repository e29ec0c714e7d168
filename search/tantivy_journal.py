"""What was written to the live index while another is built: the build takes it over at its end.

A folder with one file for each batch, written aside and renamed, so that a batch is there whole or
not at all. The writer lock of the index is held by whoever adds.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from search.prepared import Prepared


class Journal:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def append(self, writes: Iterable[Prepared]) -> None:
        """Keep a batch. Raises OSError: it could not be kept (then it must not be written either)."""
        name = f"{time.time_ns():020d}-{os.getpid()}"
        aside = self._folder / f".{name}"
        try:
            with aside.open("wb") as file:
                for write in writes:
                    file.write(b"%d %d %d\n" % (write.id, write.order, len(write.payload)))
                    file.write(write.payload)
                file.flush()
                os.fsync(file.fileno())
            aside.rename(self._folder / name)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise

    def names_after(self, name: str) -> list[str]:
        """Return the batches kept after one of them (all for ""), the oldest first."""
        found = (path.name for path in self._folder.iterdir())
        return sorted(each for each in found if each > name and not each.startswith("."))

    def read(self, name: str) -> Iterator[Prepared]:
        with (self._folder / name).open("rb") as file:
            while header := file.readline():
                entry_id, order, length = map(int, header.split())
                yield Prepared(entry_id, order, file.read(length))

    def size_bytes(self) -> int:
        return sum(path.stat().st_size for path in self._folder.iterdir())

    def make(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
