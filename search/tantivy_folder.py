"""The folder of the embedded index: one live generation, one writer, swaps that all notice.

`current` names the live generation (a sub-folder). Readers look at it before every search; a
rebuild makes a new generation beside it and replaces the name, which is atomic. `building` names
the generation being built: while it is there, whoever writes keeps the write in its journal too.
"""

from __future__ import annotations

import errno
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

from search.engine import SearchFull, SearchUnavailable
from search.tantivy_journal import Journal
from search.tantivy_schema import FORMAT, SCHEMA

_LOCK_WAIT_SECONDS = 15.0
_LOCK_POLL_SECONDS = 0.01
_OLDEST_BUILD_SECONDS = 24 * 3600.0  # a build that nobody goes on with is given up
_LARGEST_JOURNAL_BYTES = 1024**3
_LEAST_FREE_BYTES = 64 * 1024**2

IndexState = tuple[str, int, int]
"""Name of the generation, number and time of its newest commit's file."""


class IndexFolder:
    """Opens generations, keeps the reader of the live one."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._opening = Lock()
        self._open: tuple[str, tantivy.Index] | None = None
        self._loaded: IndexState | None = None

    def searcher(self) -> tantivy.Searcher | None:
        """Return a searcher of what is committed now; None when nothing was ever written.

        Raises:
            SearchUnavailable: the index cannot be read, or is of another release's format.
        """
        return self.state_and_searcher()[1]

    def state_and_searcher(self) -> tuple[IndexState | None, tantivy.Searcher | None]:
        """Return also a mark of the state: the same mark, the same content or newer.

        Raises:
            SearchUnavailable: see `searcher`.
        """
        for attempt in (1, 2, 3):
            name = self._current()
            if name is None:
                return None, None
            try:
                index = self._index(name)
                state = self._state(name)
                if state != self._loaded:
                    index.reload()
                    self._loaded = state
                return state, index.searcher()
            except (OSError, ValueError) as error:
                self._open = None
                if attempt == 3 and name == self._current():
                    raise SearchUnavailable(f"the search index cannot be read: {error}") from error
        raise SearchUnavailable("the search index is being replaced; try again")

    def _state(self, name: str) -> IndexState:
        # A commit replaces this file by another one, so its number and time tell commits apart.
        found = (self._folder / name / "meta.json").stat()
        return name, found.st_ino, found.st_mtime_ns

    def _current(self) -> str | None:
        try:
            name = self._live_name()
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
                    self._loaded = None
                    opened = self._open = (name, index)
        return opened[1]

    def live(self) -> tantivy.Index:
        """Return the live generation to write to, made when there is none. Hold `writing()`."""
        name = self._current()
        if name is None:
            name, _ = self.new_generation()
            self._point("current", name)
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
        """Make a generation the live one and remove the others. Hold `writing()`."""
        self._point("current", name)
        (self._folder / "building").unlink(missing_ok=True)
        self.remove_all_but(name)

    def _point(self, pointer: str, text: str) -> None:
        """Replace a pointer's text at once; after a crash it is the old or the new one."""
        aside = self._folder / f"{pointer}.{uuid.uuid4().hex}"
        with aside.open("w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self._folder / pointer)

    def remove_all_but(self, name: str) -> None:
        """Remove other generations; a reader that still has one open keeps its data (POSIX)."""
        for path in self._folder.iterdir():
            if path.is_dir() and path.name != name:
                shutil.rmtree(path, ignore_errors=True)

    def discard(self, name: str) -> None:
        """Remove a generation that was not published, and forget that it was being built."""
        if self.building() == name:
            (self._folder / "building").unlink(missing_ok=True)
        self.journal(name).remove()
        shutil.rmtree(self._folder / name, ignore_errors=True)

    def begin_building(self) -> tuple[str, tantivy.Index]:
        """Make a generation that later writes reach too. Hold `writing()`."""
        name, index = self.new_generation()
        self.journal(name).make()
        self._point("building", name)
        return name, index

    def building(self) -> str | None:
        """Return the generation being built, or left by a builder who is gone."""
        try:
            name = (self._folder / "building").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        # Killed right after its swap, a builder left the name of what is live.
        gone_live = (self._folder / "current").is_file() and name == self._live_name()
        return None if gone_live or not (self._folder / name).is_dir() else name

    def _live_name(self) -> str:
        return (self._folder / "current").read_text(encoding="ascii").strip()

    def reopen(self, name: str) -> tantivy.Index:
        """Return a generation that is not live. Raises OSError, ValueError: it cannot be read."""
        index = tantivy.Index.open(str(self._folder / name))
        index.config_reader("manual")
        index.reload()
        return index

    def journal(self, name: str) -> Journal:
        return Journal(self._folder / f"{name}.journal")

    def journal_of_build(self) -> Journal | None:
        """Return the journal to keep a write in, None if nothing is being built. Hold `writing()`.

        A build that nobody went on with for a day, or for which too much was written, is given up:
        its journal would grow for ever.
        """
        name = self.building()
        if name is None:
            return None
        journal = self.journal(name)
        too_much = journal.size_bytes() > _LARGEST_JOURNAL_BYTES
        if too_much or build_age_seconds(name) > _OLDEST_BUILD_SECONDS:
            self.discard(name)
            return None
        return journal

    def is_full(self) -> bool:
        """Say whether the disk has no room for another write."""
        place = self._folder if self._folder.exists() else self._folder.parent
        return place.exists() and shutil.disk_usage(place).free < _LEAST_FREE_BYTES

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the folder's writer lock, across threads and processes.

        Raises:
            SearchUnavailable: another writer holds it for too long.
        """
        with self._locked("writer.lock", _LOCK_WAIT_SECONDS, "another writer is at work on it"):
            yield

    @contextmanager
    def rebuilding(self) -> Iterator[None]:
        """Hold the lock of whoever rebuilds; a process that dies lets it go.

        Raises:
            SearchUnavailable: another process is rebuilding.
        """
        with self._locked("rebuild.lock", 0.0, "another rebuild is at work on it"):
            yield

    @contextmanager
    def _locked(self, name: str, wait_seconds: float, refusal: str) -> Iterator[None]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = (self._folder / name).open("w")
        except OSError as error:
            raise unwritable(error) from error
        deadline = time.monotonic() + wait_seconds
        with file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise SearchUnavailable(f"the search index: {refusal}") from None
                    time.sleep(_LOCK_POLL_SECONDS)
            yield

    def close(self) -> None:
        self._open = None


def build_age_seconds(name: str) -> float:
    """Return how long ago the generation was begun; its name says when."""
    return time.time() - int(name.split("-")[1]) / 1e9


def unwritable(error: Exception) -> SearchUnavailable:
    """Return the error of an index that cannot be written: a full disk by its own class."""
    text = str(error)
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if full or "StorageFull" in text or "No space left" in text or "File too large" in text:
        return SearchFull(f"the disk of the search index is full: {text}")
    return SearchUnavailable(f"the search index cannot be written: {text}")
