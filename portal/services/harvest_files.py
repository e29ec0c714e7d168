"""The links of a harvested entry, brought to what its source lists. Files added here stay."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from harvesters.record import HarvestedFile
from portal.actor import SYSTEM
from portal.clock import Clock
from portal.errors import Invalid
from portal.models.distribution import FILE, LINK, Distribution
from portal.models.entry import CatalogueEntry
from portal.models.file_check import FileCheck
from portal.services.distributions import NAME_MAX, DistributionService, check_link
from portal.services.file_checks import plan_check
from portal.services.freshness import FreshnessService

FORMAT_MAX, MEDIA_TYPE_MAX = 100, 200
_WORLD_WIDE_ID = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9._-]{1,99}")
_DATA_KEYS = ("hash", "size", "last_modified")


class HarvestedFiles:
    """The links of one source's entries, in one transaction. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._service = DistributionService(session, clock)

    def bring_up(
        self, entry: CatalogueEntry, files: Sequence[HarvestedFile]
    ) -> tuple[bool, list[str]]:
        """Add, change and delete links until they are those of the source.

        Returns:
            (whether anything changed, remarks on files that cannot be linked to).
        """
        wanted, remarks = linkable(files)
        here = self._here(entry)
        changed = False
        for position, file in enumerate(wanted):
            distribution = here.pop(file.remote_id, None)
            if distribution is None:
                self._add(entry, file)
                changed = True
            else:
                changed |= self._change(distribution, file, position)
        for distribution in here.values():
            if distribution.deleted_at is None:
                self._service.delete(SYSTEM, distribution)
                changed = True
        return changed, remarks

    def differ(self, entry: CatalogueEntry, files: Sequence[HarvestedFile]) -> bool:
        """Say whether `bring_up` would change anything but an order."""
        wanted, _ = linkable(files)
        here = {k: d for k, d in self._here(entry).items() if d.deleted_at is None}
        return set(here) != {file.remote_id for file in wanted} or any(
            getattr(here[file.remote_id], name) != value
            for file in wanted
            for name, value in _values_for(here[file.remote_id], file).items()
        )

    def _here(self, entry: CatalogueEntry) -> dict[str, Distribution]:
        """Return what once came from the source, also deleted ones: a link may come back."""
        query = select(Distribution).where(
            Distribution.entry_id == entry.id,
            Distribution.remote_id.is_not(None),
            Distribution.kind.in_((LINK, FILE)),  # a file, once it was fetched
        )
        return {str(d.remote_id): d for d in self._session.scalars(query.order_by(Distribution.id))}

    def _add(self, entry: CatalogueEntry, file: HarvestedFile) -> None:
        values = link_values(file)
        added = self._service.add_link(
            SYSTEM,
            entry,
            file.url,
            name=values["name"],
            description=values["description"],
            format=values["format"],
            public_id=self._free_id(file.remote_id),
            foreign=values["foreign"],
        )
        added.remote_id, added.media_type = file.remote_id, values["media_type"]
        plan_check(self._session, self._clock, added, file.url)

    def _free_id(self, remote_id: str) -> str | None:
        if not is_usable_id(remote_id):
            return None
        taken = select(Distribution.id).where(Distribution.public_id == remote_id)
        return None if self._session.scalar(taken) is not None else remote_id

    def _address(self, distribution: Distribution) -> str:
        """Return where the source keeps it; that of a fetched file stands with its check."""
        if distribution.kind == LINK:
            return distribution.url
        query = select(FileCheck.url).where(FileCheck.distribution_id == distribution.id)
        return self._session.scalar(query) or ""

    def _change(self, distribution: Distribution, file: HarvestedFile, position: int) -> bool:
        values, was_deleted = _values_for(distribution, file), distribution.deleted_at is not None
        address = self._address(distribution)
        before = (address, *(distribution.foreign.get(key) for key in _DATA_KEYS))
        after = (file.url, *(values["foreign"].get(key) for key in _DATA_KEYS))
        differs = any(getattr(distribution, name) != value for name, value in values.items())
        if was_deleted:
            distribution.deleted_at = None
        if distribution.position != position and differs | was_deleted:
            distribution.position = position
        self._service.change(SYSTEM, distribution, **values)
        if before != after or was_deleted:
            plan_check(self._session, self._clock, distribution, file.url)
            differs |= before != after
        if before != after:
            entry = distribution.entry
            entry.data_modified_at = self._clock()
            FreshnessService(self._session, self._clock).data_updated(entry)
        return differs or was_deleted


def _values_for(distribution: Distribution, file: HarvestedFile) -> dict[str, Any]:
    """Return what the source says of it; what a fetched file is, its bytes and name say."""
    values = link_values(file)
    if distribution.kind == FILE:
        for name in ("url", "format", "media_type"):
            del values[name]
    return values


def is_usable_id(remote_id: str) -> bool:
    """Say whether a source's id may be ours: fit for addresses, and no mere number in a list."""
    return _WORLD_WIDE_ID.fullmatch(remote_id) is not None


def link_values(file: HarvestedFile) -> dict[str, Any]:
    """Return the columns of a link to the file."""
    return {
        "url": file.url,
        "name": (file.name or file.url)[:NAME_MAX],
        "description": file.description,
        "format": file.format.lower()[:FORMAT_MAX],
        "media_type": file.media_type[:MEDIA_TYPE_MAX],
        "foreign": dict(file.foreign),
    }


def linkable(files: Sequence[HarvestedFile]) -> tuple[list[HarvestedFile], list[str]]:
    """Part the files that may be linked to from those that may not, or stand twice."""
    wanted: dict[str, HarvestedFile] = {}
    remarks = []
    for file in files:
        shown = file.name or file.remote_id
        try:
            check_link(file.url)
        except Invalid:
            remarks.append(f"文件“{shown}”的链接不是 http(s) 网址，没有登记。")
            continue
        if file.remote_id in wanted:
            remarks.append(f"文件“{shown}”的编号重复，只登记了第一个。")
            continue
        wanted[file.remote_id] = file
    return list(wanted.values()), remarks
