"""A whole upload is hashed, looked at and put onto its entry, outside any web request."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import Clock
from portal.db import Database
from portal.errors import Invalid, NotFound, PortalError
from portal.models.account import Account
from portal.models.distribution import DataVersion, Distribution
from portal.models.entry import CatalogueEntry
from portal.models.upload import DONE, FAILED, OPEN, RECEIVED, PartialUpload
from portal.services.accounts import actor_of
from portal.services.distributions import DistributionService, Upload
from portal.services.upload_check import check_upload
from portal.storage.base import Storage, StoredObject

ENDED_DAYS = 7
STUCK_DAYS = 2
ORPHAN_SECONDS = 3600
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Facts:
    public_id: str
    filename: str
    size_bytes: int
    sha256: str
    parts: tuple[str, ...]


def finish_upload(database: Database, storage: Storage, clock: Clock, upload_id: int) -> None:
    """Bring a received upload to its end: a file of its entry, or a failure that says why.

    A second run ends the same. A failure of the store is raised, so that the job is tried again.
    """
    with database.reading() as session:
        upload = session.get(PartialUpload, upload_id)
        if upload is None or upload.stage != RECEIVED:
            return
        facts = _Facts(
            upload.public_id,
            upload.filename,
            upload.size_bytes,
            upload.sha256,
            tuple(upload.parts),
        )
    try:
        stored = _kept(storage, facts)
    except PortalError as error:
        _fail(database, upload_id, _text(error))
    else:
        _attach(database, storage, clock, upload_id, stored)
    storage.parts.remove(facts.public_id)


def _kept(storage: Storage, facts: _Facts) -> StoredObject:
    """Hash the whole, compare, look inside, and only then keep it under its hash.

    Raises:
        Invalid: it is not what the sender sent, or cannot be what its name says.
    """
    with storage.parts.whole(facts.public_id, facts.parts, facts.size_bytes) as path:
        stored = StoredObject(_hash(path), facts.size_bytes)
        if facts.sha256 and facts.sha256 != stored.sha256:
            raise Invalid.one(
                "file", "checksum", "收到的内容与发送的不一致（SHA-256 不同），请重新上传。"
            )
        check_upload(path, facts.filename)
        storage.take(path, stored)
    return stored


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _attach(
    database: Database, storage: Storage, clock: Clock, upload_id: int, stored: StoredObject
) -> None:
    """Put the content onto the entry in the name of who sent it, if they still may."""
    try:
        with database.writing() as session:
            upload = session.get(PartialUpload, upload_id, with_for_update=True)
            if upload is None or upload.stage != RECEIVED:
                return
            distribution = _add(session, clock, upload, stored)
            upload.distribution_id = distribution.id
            upload.stage = DONE
    except PortalError as error:
        _fail(database, upload_id, _text(error))
        _drop(database, storage, stored)


def _add(
    session: Session, clock: Clock, upload: PartialUpload, stored: StoredObject
) -> Distribution:
    actor = actor_of(session.get(Account, upload.account_id))
    service = DistributionService(session, clock)
    given = Upload(stored, upload.filename, upload.reason)
    if upload.replaces_id is None:
        entry = session.get_one(CatalogueEntry, upload.entry_id)
        return service.add_file(
            actor,
            entry,
            given,
            name=upload.name,
            description=upload.description,
            public_id=upload.public_id,
        )
    replaced = session.get_one(Distribution, upload.replaces_id)
    if replaced.deleted_at is not None:
        raise NotFound("要更新的文件已被移除，新内容没有保存。")
    service.deliver(actor, replaced, given)
    return replaced


def _fail(database: Database, upload_id: int, text: str) -> None:
    with database.writing() as session:
        upload = session.get(PartialUpload, upload_id)
        if upload is not None:
            upload.stage, upload.error, upload.parts = FAILED, text, []


def _text(error: PortalError) -> str:
    defects = getattr(error, "defects", ())
    return "；".join(defect.text() for defect in defects) or error.text()


def _drop(database: Database, storage: Storage, stored: StoredObject) -> None:
    """Remove content that no version names: it was kept for a file that came to nothing."""
    with database.reading() as session:
        query = select(DataVersion.id).where(DataVersion.sha256 == stored.sha256).limit(1)
        if session.scalar(query) is None:
            storage.delete(stored.sha256)


def sweep_uploads(database: Database, storage: Storage, clock: Clock) -> int:
    """Forget what expired or ended long ago, and parts in storage that no upload knows.

    Returns:
        how many uploads' parts went from storage.
    """
    now = clock()
    with database.writing() as session:
        expired = (PartialUpload.stage == OPEN) & (PartialUpload.expires_at <= now)
        ended = PartialUpload.stage.in_((DONE, FAILED)) & (
            PartialUpload.expires_at <= now - timedelta(days=ENDED_DAYS)
        )
        for upload in session.scalars(select(PartialUpload).where(expired | ended)):
            session.delete(upload)
        stuck = (PartialUpload.stage == RECEIVED) & (
            PartialUpload.expires_at <= now - timedelta(days=STUCK_DAYS)
        )
        for upload in session.scalars(select(PartialUpload).where(stuck)):
            upload.stage, upload.error = FAILED, "文件没有能够保存，请重新上传。"
        session.flush()
        kept = set(
            session.scalars(
                select(PartialUpload.public_id).where(PartialUpload.stage.in_((OPEN, RECEIVED)))
            )
        )
    return _remove_orphans(storage, kept)


def _remove_orphans(storage: Storage, kept: set[str]) -> int:
    """Remove parts without an upload; one that began a moment ago may not be committed yet."""
    removed = 0
    for name, written_at in list(storage.parts.list()):
        if name not in kept and written_at < time.time() - ORPHAN_SECONDS:
            storage.parts.remove(name)
            removed += 1
    abandoned = storage.remove_abandoned_uploads()
    if removed or abandoned:
        log.info("uploads swept", removed=removed, abandoned=abandoned)
    return removed
