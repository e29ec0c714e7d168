"""Keeps the newest audit seal outside the database, so that a cut tail is found."""

from __future__ import annotations

import os
from pathlib import Path

import orjson

from portal.services.audit import SealHead


class FileAnchor:
    """The head in a file of the data folder, replaced whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> SealHead | None:
        if not self._path.exists():
            return None
        values = orjson.loads(self._path.read_bytes())
        return SealHead(values["number"], values["digest"])

    def write(self, head: SealHead) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(orjson.dumps({"number": head.number, "digest": head.digest}))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
