"""Files, links and interfaces of an entry, and the versions of their data."""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.codes import code_list
from portal.errors import Invalid
from portal.jobs.queue import enqueue
from portal.models.distribution import FILE, INTERFACE, LINK, DataVersion, Distribution
from portal.models.entry import CatalogueEntry
from portal.permissions import Permission, require
from portal.services import audit
from portal.services.freshness import FreshnessService
from portal.services.index_requests import request_index
from portal.services.release_checks import first_hold
from portal.services.value import recompute_value
from portal.storage.base import StoredObject

PARSE_TABLE = "parse_table"
TABULAR_FORMATS = frozenset(
    {"csv", "tsv", "tab", "xlsx", "xlsm", "xls", "et", "ods", "json", "jsonl", "ndjson", "geojson"}
    | {"parquet", "zip"}
)
NAME_MAX = 300
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\]+")


@dataclass(frozen=True)
class Upload:
    """A file that already stands in storage, whole and hashed."""

    stored: StoredObject
    filename: str
    reason: str = ""  # what this version changed, in the agency's words


class DistributionService:
    """Everything that may happen to a distribution. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def add_file(
        self,
        actor: Actor,
        entry: CatalogueEntry,
        upload: Upload,
        *,
        name: str = "",
        description: str = "",
        format: str = "",
        public_id: str | None = None,
        foreign: dict[str, Any] | None = None,
    ) -> Distribution:
        """Add a file with its first data version; a table in it is parsed by a job."""
        require(actor, Permission.DISTRIBUTION_WRITE, entry)
        filename = safe_filename(upload.filename)
        distribution = self._new(entry, FILE, name or filename, description, public_id, foreign)
        distribution.format = format.lower() or format_of(filename)
        distribution.media_type = media_type_of(filename, distribution.format)
        self._session.add(distribution)
        self._session.flush()
        self._deliver(actor, distribution, upload, filename)
        self._changed(actor, entry, "add_file", distribution, data=True)
        return distribution

    def add_link(
        self,
        actor: Actor,
        entry: CatalogueEntry,
        url: str,
        *,
        name: str = "",
        description: str = "",
        format: str = "",
        public_id: str | None = None,
        foreign: dict[str, Any] | None = None,
    ) -> Distribution:
        """Add a file that lies elsewhere; only http and https addresses are taken."""
        require(actor, Permission.DISTRIBUTION_WRITE, entry)
        check_link(url)
        distribution = self._new(entry, LINK, name or url, description, public_id, foreign)
        distribution.url, distribution.format = url, format.lower()
        self._session.add(distribution)
        self._session.flush()
        self._changed(actor, entry, "add_link", distribution)
        return distribution

    def add(self, actor: Actor, distribution: Distribution) -> Distribution:
        """Add a link that a record brought ready-made, at the place it has.

        Raises:
            Invalid: its id is taken.
        """
        require(actor, Permission.DISTRIBUTION_WRITE, distribution.entry)
        with self._session.no_autoflush:
            self._check_free(distribution.public_id)
        self._session.add(distribution)
        self._session.flush()
        self._changed(actor, distribution.entry, "add_link", distribution)
        return distribution

    def add_interface(
        self, actor: Actor, entry: CatalogueEntry, *, name: str, url: str, description: str = ""
    ) -> Distribution:
        """Add a data interface (an extension answers behind `url`, a path of this portal)."""
        require(actor, Permission.DISTRIBUTION_WRITE, entry)
        distribution = self._new(entry, INTERFACE, name, description, None, None)
        distribution.url, distribution.format = url, "api"
        self._session.add(distribution)
        self._session.flush()
        self._changed(actor, entry, "add_interface", distribution)
        return distribution

    def add_table(
        self, actor: Actor, entry: CatalogueEntry, *, name: str, description: str = ""
    ) -> Distribution:
        """Add a file that has no data yet: a table that will be written through the API."""
        require(actor, Permission.DISTRIBUTION_WRITE, entry)
        distribution = self._new(entry, FILE, name, description, None, None)
        self._session.add(distribution)
        self._session.flush()
        self._changed(actor, entry, "add_file", distribution)
        return distribution

    def withdraw_data(self, actor: Actor, distribution: Distribution) -> None:
        """Take the data off a distribution, which stays; its versions stay in the archive."""
        require(actor, Permission.DISTRIBUTION_WRITE, distribution.entry)
        current = distribution.current_version
        if current is None:
            return
        distribution.current_version = None
        distribution.current_version_id = None
        distribution.modified_at = self._clock()
        self._changed(
            actor, distribution.entry, "withdraw_data", distribution, withdrawn=_has_words(current)
        )

    def _new(
        self,
        entry: CatalogueEntry,
        kind: str,
        name: str,
        description: str,
        public_id: str | None,
        foreign: dict[str, Any] | None,
    ) -> Distribution:
        now = self._clock()
        last = self._session.scalar(
            select(func.max(Distribution.position)).where(
                Distribution.entry_id == entry.id, Distribution.deleted_at.is_(None)
            )
        )
        distribution = Distribution(
            entry=entry,
            entry_id=entry.id,
            kind=kind,
            name=name[:NAME_MAX],
            description=description,
            position=0 if last is None else last + 1,
            foreign=foreign or {},
            created_at=now,
            modified_at=now,
        )
        if public_id:
            self._check_free(public_id)
            distribution.public_id = public_id
        return distribution

    def _check_free(self, public_id: str) -> None:
        taken = select(Distribution.id).where(Distribution.public_id == public_id)
        if public_id and self._session.scalar(taken) is not None:
            raise Invalid.one("id", "taken", "编号“{value}”已被使用。", value=public_id)

    def deliver(self, actor: Actor, distribution: Distribution, upload: Upload) -> DataVersion:
        """Add a new version of the data; the same bytes again change nothing."""
        require(actor, Permission.DISTRIBUTION_WRITE, distribution.entry)
        current = distribution.current_version
        filename = safe_filename(upload.filename)
        if current is not None and current.sha256 == upload.stored.sha256:
            return current
        distribution.kind, distribution.url = FILE, ""
        distribution.format = format_of(filename) or distribution.format
        distribution.media_type = media_type_of(filename, distribution.format)
        version = self._deliver(actor, distribution, upload, filename)
        withdrawn = _has_words(current)
        self._changed(
            actor, distribution.entry, "deliver", distribution, data=True, withdrawn=withdrawn
        )
        return version

    def _deliver(
        self, actor: Actor, distribution: Distribution, upload: Upload, filename: str
    ) -> DataVersion:
        number = self._session.scalar(
            select(func.coalesce(func.max(DataVersion.number), 0)).where(
                DataVersion.distribution_id == distribution.id
            )
        )
        tabular = distribution.format in TABULAR_FORMATS
        version = DataVersion(
            distribution=distribution,
            distribution_id=distribution.id,
            number=(number or 0) + 1,
            sha256=upload.stored.sha256,
            size_bytes=upload.stored.size_bytes,
            filename=filename,
            created_at=self._clock(),
            created_by=actor.account_id,
            reason=upload.reason,
            table_state="pending" if tabular else "none",
            hold=first_hold(distribution.format, tabular=tabular),
        )
        self._session.add(version)
        self._session.flush()
        distribution.current_version = version
        distribution.current_version_id = version.id
        distribution.modified_at = self._clock()
        if tabular or version.hold:
            payload = {"data_version_id": version.id}
            enqueue(self._session, self._clock, PARSE_TABLE, payload, key=f"parse:{version.id}")
        return version

    def change(self, actor: Actor, distribution: Distribution, **values: Any) -> None:
        """Change name, description, format or (of a link) url; unchanged values write nothing."""
        require(actor, Permission.DISTRIBUTION_WRITE, distribution.entry)
        if "url" in values and distribution.kind == LINK:
            check_link(values["url"])
        changed = {k: v for k, v in values.items() if getattr(distribution, k) != v}
        if not changed:
            return
        for name, value in changed.items():
            setattr(distribution, name, value)
        distribution.modified_at = self._clock()
        self._changed(actor, distribution.entry, "change", distribution)

    def delete(self, actor: Actor, distribution: Distribution) -> None:
        """Take a distribution off the entry; its versions and their bytes stay."""
        require(actor, Permission.DISTRIBUTION_WRITE, distribution.entry)
        distribution.deleted_at = self._clock()
        withdrawn = _has_words(distribution.current_version)
        self._changed(actor, distribution.entry, "delete", distribution, withdrawn=withdrawn)

    def _changed(
        self,
        actor: Actor,
        entry: CatalogueEntry,
        event: str,
        distribution: Distribution,
        *,
        data: bool = False,
        withdrawn: bool = False,
    ) -> None:
        """Record the change and ask for the index; `withdrawn`: words of it must be found no more."""
        now = self._clock()
        version = distribution.current_version
        audit.record(
            self._session,
            self._clock,
            actor,
            flow="distribution",
            event=event,
            subject_id=distribution.id,
            entry_id=entry.id,
            details={"name": distribution.name, "sha256": version.sha256 if version else ""},
        )
        entry.metadata_modified_at = now
        if data:
            entry.data_modified_at = now
            FreshnessService(self._session, self._clock).data_updated(entry)
        self._session.flush()
        if entry.is_public:
            recompute_value(self._session, self._clock, entry)
        request_index(self._session, self._clock, entry, tightens=withdrawn)


def _has_words(version: DataVersion | None) -> bool:
    """True if a search finds the entry by what stands in the version's table."""
    return version is not None and version.table is not None


def safe_filename(name: str) -> str:
    """Return the last part of a file name without control characters; never a path."""
    cleaned = _UNSAFE.sub("/", name.strip()).split("/")[-1].strip(". ")
    return cleaned[-200:] or "file"


def format_of(filename: str) -> str:
    suffix = PurePosixPath(filename.lower()).suffix
    by_extension = {c["extension"]: c.code for c in code_list("formats") if c["extension"]}
    return by_extension.get(suffix, suffix.lstrip("."))


def media_type_of(filename: str, format_code: str) -> str:
    known = code_list("formats").find(format_code)
    if known is not None and known["media_type"]:
        return known["media_type"]
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def check_link(url: str) -> None:
    if not re.match(r"https?://[^\s/]+", url, re.IGNORECASE):
        raise Invalid.one("url", "scheme", "链接须以 http:// 或 https:// 开头。")
