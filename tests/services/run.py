"""The servers of one pytest run, shared by its workers: the first to ask starts them."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.services.node import Node, ServiceFailed, ServiceMissing, stop_keeper


@dataclass(frozen=True)
class TestRun:
    """Where the servers of this run live, and the process that they must not outlive."""

    __test__ = False  # not a test, whatever its name says

    folder: Path
    owner_pid: int

    @classmethod
    def begin(cls) -> TestRun:
        """Make the folder of a new run; the process that calls this owns it."""
        folder = Path(tempfile.mkdtemp(prefix="xiangyun-tests-"))
        folder.chmod(0o755)  # PostgreSQL runs as another user, inside this folder
        return cls(folder, os.getpid())

    def end(self) -> None:
        """Stop every server of the run and remove its folder."""
        for pid_file in self.folder.glob("*/keeper.pid"):
            stop_keeper(pid_file)
        shutil.rmtree(self.folder, ignore_errors=True)

    def shared_url(self, name: str, kind: type[Node]) -> str:
        """Return the address of the run's one server of this name, starting it if need be.

        Raises:
            ServiceMissing, ServiceFailed: also when another worker tried in vain before.
        """
        note = self.folder / f"{name}.json"
        with self._locked(name):
            if not note.exists():
                note.write_text(json.dumps(self._try_start(name, kind)))
        found = json.loads(note.read_text())
        if found["error"]:
            raise (ServiceMissing if found["is_missing"] else ServiceFailed)(found["error"])
        return str(found["url"])

    def _try_start(self, name: str, kind: type[Node]) -> dict[str, object]:
        node = kind(self.folder / name, owner_pid=self.owner_pid)
        try:
            node.start()
        except (ServiceMissing, ServiceFailed) as error:
            return {"error": str(error), "is_missing": isinstance(error, ServiceMissing)}
        return {"error": "", "url": node.url}

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


RUN = pytest.StashKey[TestRun]()  # where pytest's config keeps it
