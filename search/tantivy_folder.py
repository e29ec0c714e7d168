"""The folder of the embedded index: one live generation, one writer, swaps that all notice.

`current` names the live generation (a sub-folder). Readers look at it before every search; a
rebuild makes a new generation beside it and replaces the name, which is atomic.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import tantivy

from search.engine import SearchUnavailable
from search.tantivy_schema import FORMAT, SCHEMA

_LOCK_WAIT_SECONDS = 15.0
_LOCK_POLL_SECONDS = 0.01


class IndexFolder:
    """Opens generations, keeps the reader of the live one."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._opening = Lock()
        self._open: tuple[str, tantivy.Index] | None = None

    def searcher(self) -> tantivy.Searcher | None:
        """Return a searcher of what is committed now; None when nothing was ever written.

        Raises:
            SearchUnavailable: the index cannot be read, or is of another release's format.
        """
        for attempt in (1, 2, 3):
            name = self._current()
            if name is None:
                return None
            try:
                index = self._index(name)
                index.reload()
                return index.searcher()
            except (OSError, ValueError) as error:
                self._open = None
                if attempt == 3 and name == self._current():
                    raise SearchUnavailable(f"the search index cannot be read: {error}") from error
        raise SearchUnavailable("the search index is being replaced; try again")

    def _current(self) -> str | None:
        try:
            name = (self._folder / "current").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise SearchUnavailable(f"the search index cannot be read: {error}") from error
        if name.split("-")[0] != FORMAT:
            raise SearchUnavailable("the search index is of another release: rebuild it")
        return name

    def _index(self, name: str) -> tantivy.Index:
        opened = self._open
        if opened is None or opened[0] != name:
            with self._opening:
                opened = self._open
                if opened is None or opened[0] != name:
                    index = tantivy.Index.open(str(self._folder / name))
                    index.config_reader("manual")
                    opened = self._open = (name, index)
        return opened[1]

    def live(self) -> tantivy.Index:
        """Return the live generation to write to, made when there is none. Hold `writing()`."""
        name = self._current()
        if name is None:
            name, _ = self.new_generation()
            self.publish(name)
        try:
            index = self._index(name)
            index.reload()
        except (OSError, ValueError) as error:
            self._open = None
            raise SearchUnavailable(f"the search index cannot be read: {error}") from error
        return index

    def new_generation(self) -> tuple[str, tantivy.Index]:
        name = f"{FORMAT}-{time.time_ns()}-{uuid.uuid4().hex[:8]}"
        path = self._folder / name
        path.mkdir(parents=True)
        return name, tantivy.Index(SCHEMA, path=str(path), reuse=False)

    def publish(self, name: str) -> None:
        """Make a generation the live one and remove the others."""
        pointer = self._folder / f"current.{uuid.uuid4().hex}"
        with pointer.open("w", encoding="ascii") as file:
            file.write(name)
            file.flush()
            os.fsync(file.fileno())
        pointer.replace(self._folder / "current")
        self.remove_all_but(name)

    def remove_all_but(self, name: str) -> None:
        """Remove other generations; a reader that still has one open keeps its data (POSIX)."""
        for path in self._folder.iterdir():
            if path.is_dir() and path.name != name:
                shutil.rmtree(path, ignore_errors=True)

    def discard(self, name: str) -> None:
        """Remove a generation that was not published."""
        shutil.rmtree(self._folder / name, ignore_errors=True)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the folder's writer lock, across threads and processes.

        Raises:
            SearchUnavailable: another writer (a rebuild) holds it for too long.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + _LOCK_WAIT_SECONDS
        with (self._folder / "writer.lock").open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise SearchUnavailable("another writer is at work on the index") from None
                    time.sleep(_LOCK_POLL_SECONDS)
            yield

    def close(self) -> None:
        self._open = None
