"""The file of a back-up: a tar whose first member is a manifest that names all others.

    manifest.json            sizes and SHA-256 of everything below, and how it was made
    database                 as `portal.backup.databases` writes it
    home/<path>              files of the data folder: word lists, newest audit seal, secret key
    objects/<sha256>         stored objects

Members are written and read in one stream, so that a back-up needs no room for a second copy.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import orjson

from portal.backup.errors import BackupError
from portal.storage.base import Storage, StoredObject

FORMAT = 1
MANIFEST, DATABASE, HOME, OBJECTS = "manifest.json", "database", "home/", "objects/"
PIECE = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """What a back-up holds. `members` are (name, size in bytes, SHA-256) in order.

    `revisions` are the heads of the schema; `secret_key` is `included` or `left out`.
    """

    format: int
    version: str
    made_at: str
    database: str
    revisions: tuple[str, ...]
    secret_key: str
    members: tuple[tuple[str, int, str], ...]

    @property
    def object_count(self) -> int:
        return sum(name.startswith(OBJECTS) for name, _, _ in self.members)


Told = Callable[[int], None]
"""Told how many further bytes went through."""


def describe(name: str, path: Path) -> tuple[str, int, str]:
    """Return the manifest's line of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return name, path.stat().st_size, digest


def write(
    target: Path,
    manifest: Manifest,
    files: Iterable[tuple[str, Path]],
    storage: Storage,
    told: Told,
) -> None:
    """Write the back-up, readable by its owner alone; it has its name only once it is whole.

    Raises:
        BackupError: the target exists, or an object is not what its name says.
    """
    if target.exists():
        raise BackupError(f"{target} exists already")
    fresh = target.with_name(target.name + ".partial")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar:
                text = orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2)
                _add(tar, MANIFEST, len(text), io.BytesIO(text))
                for name, path in files:
                    with path.open("rb") as source:
                        _add(tar, name, path.stat().st_size, source)
                for name, size, digest in manifest.members:
                    if name.startswith(OBJECTS):
                        _add_object(tar, storage, StoredObject(digest, size))
                        told(size)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def _add(tar: tarfile.TarFile, name: str, size: int, source: Readable) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    tar.addfile(member, source)


def _add_object(tar: tarfile.TarFile, storage: Storage, stored: StoredObject) -> None:
    stream = HashedStream(storage.open(stored.sha256))
    _add(tar, OBJECTS + stored.sha256, stored.size_bytes, stream)
    if stream.digest != stored.sha256:
        raise BackupError(f"the stored object {stored.sha256} is damaged")


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class HashedStream:
    """Pieces as a file that is read once; `digest` is the SHA-256 of what was read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest, self._hash = pieces, b"", hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        while size < 0 or len(self._rest) < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._rest += piece
        taken, self._rest = (
            (self._rest, b"") if size < 0 else (self._rest[:size], self._rest[size:])
        )
        self._hash.update(taken)
        return taken

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def read_manifest(path: Path) -> Manifest:
    """Raises: BackupError, the file is no back-up that this version reads."""
    try:
        with tarfile.open(path, mode="r|") as tar:
            return _manifest(tar)
    except (OSError, tarfile.TarError) as error:
        raise BackupError(f"{path} is no back-up: {error}") from error


def _manifest(tar: tarfile.TarFile) -> Manifest:
    first = tar.next()
    stream = tar.extractfile(first) if first is not None and first.name == MANIFEST else None
    if stream is None:
        raise BackupError("the file has no manifest")
    try:
        values = orjson.loads(stream.read())
        if values["format"] != FORMAT:
            raise BackupError(f"format {values['format']} is not read by this version")
        return Manifest(
            **{
                **values,
                "revisions": tuple(values["revisions"]),
                "members": tuple((n, s, d) for n, s, d in values["members"]),
            }
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BackupError(f"the manifest cannot be read: {error}") from error


def walk(path: Path, take: Callable[[str, Readable], None] | None = None) -> Manifest:
    """Read every member, check it against the manifest, and hand it to `take`, if given.

    Raises:
        BackupError: a member is missing, of another size, damaged or not in the manifest.
    """
    try:
        with tarfile.open(path, mode="r|") as tar:
            manifest = _manifest(tar)
            wanted = {name: (size, digest) for name, size, digest in manifest.members}
            while (member := tar.next()) is not None:
                stream = tar.extractfile(member) if member.isreg() else None
                expected = wanted.pop(member.name, None)
                if stream is None or expected is None:
                    raise BackupError(f"{member.name} is not in the manifest")
                hashed = HashedStream(iter(lambda s=stream: s.read(PIECE), b""))  # type: ignore[misc]
                if take is not None:
                    take(member.name, hashed)
                while hashed.read(PIECE):
                    pass
                if (member.size, hashed.digest) != expected:
                    raise BackupError(f"{member.name} is damaged")
    except (OSError, tarfile.TarError) as error:
        raise BackupError(f"{path} cannot be read: {error}") from error
    if wanted:
        raise BackupError(f"{len(wanted)} members are missing, the first is {min(wanted)}")
    return manifest
