"""Makes a dump of the whole public catalogue, keeps it, and forgets old ones.

The catalogue is walked in pieces by id, each in a short transaction of its own: no snapshot is held
open for minutes, and nothing but one piece is in memory. What everybody may see, and no more, is in it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import structlog
from sqlalchemy import select

from extensions.exchange.dumps.forms import MEDIA_TYPES, Dump
from extensions.exchange.models.dump import CatalogueDump, list_dumps
from extensions.exchange.packages import readable_package
from portal.db import Database
from portal.models.distribution import DataVersion
from portal.models.entry import CatalogueEntry
from portal.platform import Platform
from portal.services.kept_packages import kept_packages
from portal.services.package_document import with_site
from portal.services.public_entries import IS_PUBLIC, count_public

AT_ONCE = 200
KEPT = 7
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
Progress = Callable[[int, int], None]
log = structlog.get_logger(__name__)


def make_dump(
    platform: Platform, *, folder: Path | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Make a dump, keep it in storage, and return its manifest.

    Args:
        folder: where the files are left too, with manifest and checksums.
        progress: told (records written, records in all) after each piece.
    """
    site_url = platform.settings.site_url.rstrip("/")
    made_at = platform.clock()
    with tempfile.TemporaryDirectory(prefix="xiangyun-dump-") as temporary:
        place = Path(temporary)
        with Dump(place, site_url) as dump:
            for raw in _packages(platform.database, site_url, progress):
                dump.add(raw, readable_package(raw))
        dump.finish()
        files = [_kept(platform, place / name, media) for name, media in MEDIA_TYPES.items()]
        with platform.database.writing() as session:
            session.add(CatalogueDump(made_at=made_at, records=dump.records, files=files))
        made = {"made_at": made_at, "records": dump.records, "files": files}
        manifest = manifest_of(site_url, made_at, dump.records, files)
        if folder is not None:
            _leave(place, folder, manifest)
    _forget_old(platform)
    log.info("catalogue dumped", records=made["records"])
    return manifest


def _packages(database: Database, site_url: str, progress: Progress | None) -> Iterator[bytes]:
    """Yield every public package by id; one that is withdrawn meanwhile is left out."""
    after, done = 0, 0
    with database.reading() as session:
        total = count_public(session)
    while True:
        with database.reading() as session:
            query = (
                select(CatalogueEntry.id)
                .where(*IS_PUBLIC, CatalogueEntry.id > after)
                .order_by(CatalogueEntry.id)
                .limit(AT_ONCE)
            )
            ids = list(session.scalars(query))
            found = [with_site(one, site_url) for one in kept_packages(session, ids).values()]
        if not ids:
            return
        yield from found
        after, done = ids[-1], done + len(ids)
        if progress is not None:
            progress(done, total)


def _kept(platform: Platform, path: Path, media_type: str) -> dict[str, Any]:
    with path.open("rb") as file:
        stored = platform.storage.put(file)
    return {
        "name": path.name,
        "media_type": media_type,
        "sha256": stored.sha256,
        "size_bytes": stored.size_bytes,
    }


def manifest_of(
    site_url: str, made_at: Any, records: int, files: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return what a dump says of itself: times are UTC, checksums SHA-256 of the file as fetched."""
    base = f"{site_url}/dumps/{made_at:%Y%m%dT%H%M%SZ}"
    return {
        "catalogue": site_url,
        "made_at": made_at.isoformat(),
        "records": records,
        "files": [{**one, "url": f"{base}/{one['name']}"} for one in files],
    }


def sums_of(files: list[dict[str, Any]]) -> str:
    """Return the checksums as `sha256sum --check` reads them."""
    return "".join(f"{one['sha256']}  {one['name']}\n" for one in files)


def _leave(place: Path, folder: Path, manifest: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in MEDIA_TYPES:
        shutil.copyfile(place / name, folder / name)
    (folder / SUMS).write_text(sums_of(manifest["files"]), encoding="utf-8")
    text = orjson.dumps(manifest, option=orjson.OPT_INDENT_2)
    (folder / MANIFEST).write_bytes(text + b"\n")


def _forget_old(platform: Platform) -> None:
    """Keep the newest dumps; bytes that nothing else has go with the others."""
    with platform.database.writing() as session:
        dumps = list_dumps(session)
        kept = {file["sha256"] for dump in dumps[:KEPT] for file in dump.files}
        gone = {file["sha256"] for dump in dumps[KEPT:] for file in dump.files} - kept
        used = set(
            session.scalars(select(DataVersion.sha256).where(DataVersion.sha256.in_(gone or {""})))
        )
        for dump in dumps[KEPT:]:
            session.delete(dump)
    for sha256 in gone - used:
        platform.storage.delete(sha256)


def run_dump(platform: Platform, payload: dict[str, Any]) -> None:
    """The nightly job, and `xiangyun dump` with a folder. A second run makes a second dump."""
    folder = payload.get("folder")
    make_dump(platform, folder=Path(folder) if folder else None, progress=payload.get("progress"))
