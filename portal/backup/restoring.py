"""Bring a back-up into an empty home: checked whole before anything is written."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from portal.backup import databases
from portal.backup.archive import DATABASE, HOME, OBJECTS, Manifest, Readable, read_manifest, walk
from portal.backup.errors import BackupError
from portal.extension import Extension
from portal.migrations import known_revisions
from portal.settings import Settings
from portal.storage import open_storage
from portal.storage.base import Storage


def restore_backup(settings: Settings, source: Path, extensions: Iterable[Extension]) -> Manifest:
    """Restore database, objects and files; the caller then opens the platform and checks.

    Raises:
        BackupError: the file is damaged, the home, the database or the storage is not empty, or
            the database is of the other kind. Nothing was written then.
    """
    manifest = read_manifest(source)
    _check_target(settings, manifest, extensions)
    walk(source)
    settings.home.mkdir(parents=True, exist_ok=True)
    storage = _open(settings)
    if next(iter(storage.list()), None) is not None:
        raise BackupError(f"the storage {settings.effective_storage_url} is not empty")
    with tempfile.TemporaryDirectory(dir=settings.home) as folder:
        database = Path(folder) / "database"
        walk(source, _taker(settings.home, storage, database))
        databases.bring_back(database, settings.effective_database_url)
    return manifest


def _open(settings: Settings) -> Storage:
    return open_storage(
        settings.effective_storage_url,
        endpoint_url=settings.s3_endpoint_url,
        cache_folder=settings.cache_folder / "files",
    )


def _check_target(settings: Settings, manifest: Manifest, extensions: Iterable[Extension]) -> None:
    if settings.home.exists() and any(settings.home.iterdir()):
        raise BackupError(f"{settings.home} is not empty: restore into a new data folder")
    url = settings.effective_database_url
    if databases.kind_of(url) != manifest.database:
        raise BackupError(
            f"the back-up is of {manifest.database}; set XIANGYUN_DATABASE_URL to such a database"
        )
    if not databases.is_empty(url):
        raise BackupError("the database is not empty: restore into a new one")
    unknown = set(manifest.revisions) - known_revisions(extensions)
    if unknown:
        raise BackupError(
            f"the back-up was made by version {manifest.version} or with further extensions: "
            f"its schema {', '.join(sorted(unknown))} is not known here"
        )


def _taker(home: Path, storage: Storage, database: Path) -> Callable[[str, Readable], None]:
    def take(name: str, stream: Readable) -> None:
        if name == DATABASE:
            with database.open("wb") as file:
                shutil.copyfileobj(stream, file)
        elif name.startswith(OBJECTS):
            stored = storage.put(stream)  # type: ignore[arg-type]
            if OBJECTS + stored.sha256 != name:
                raise BackupError(f"{name} is damaged")
        elif name.startswith(HOME):
            _write_file(home, name.removeprefix(HOME), stream)
        else:
            raise BackupError(f"{name} is not known")

    return take


def _write_file(home: Path, name: str, stream: Readable) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise BackupError(f"{name} lies outside the data folder")
    target = home / path
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(stream, file)
