"""Make a back-up of a running portal: first the database, then the objects, which only grow."""

from __future__ import annotations

import tempfile
from importlib.metadata import version
from pathlib import Path

from portal.backup import databases
from portal.backup.archive import DATABASE, FORMAT, HOME, OBJECTS, Manifest, Told, describe, write
from portal.migrations import current_revisions
from portal.platform import Platform

SECRET = "secret_key"
KEPT_FILES = (SECRET, "audit-head.json")


def make_backup(platform: Platform, target: Path, *, secrets: bool, told: Told) -> Manifest:
    """Write everything that the portal needs to start again into one file.

    Args:
        secrets: put the secret key of the data folder in; without it sessions end and what was
            encrypted with it (second factors, passwords of sources) cannot be read.

    Raises:
        BackupError: a part does not answer, an object is damaged, or the target exists.
    """
    home = platform.settings.home
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        database = Path(folder) / "database"
        databases.dump(platform.settings.effective_database_url, database)
        files = [(DATABASE, database), *_kept(home, secrets=secrets)]
        members = [describe(name, path) for name, path in files]
        members += [
            (OBJECTS + stored.sha256, stored.size_bytes, stored.sha256)
            for stored in sorted(platform.storage.list(), key=lambda one: one.sha256)
        ]
        manifest = Manifest(
            format=FORMAT,
            version=version("xiangyun"),
            made_at=platform.clock().isoformat(),
            database=databases.kind_of(platform.settings.effective_database_url),
            revisions=current_revisions(platform.database),
            secret_key="included" if any(n == HOME + SECRET for n, _ in files) else "left out",
            members=tuple(members),
        )
        write(target, manifest, files, platform.storage, told)
    return manifest


def _kept(home: Path, *, secrets: bool) -> list[tuple[str, Path]]:
    """Return the files of the data folder that neither a rebuild nor a setting brings back."""
    found = [home / name for name in KEPT_FILES if secrets or name != SECRET]
    found += sorted(path for path in (home / "dictionaries").rglob("*"))
    return [(HOME + path.relative_to(home).as_posix(), path) for path in found if path.is_file()]
