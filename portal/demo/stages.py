"""Bring a sample record to its stage, event by event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import SHANGHAI
from portal.demo.history import HistoryClock
from portal.errors import Defect
from portal.models.distribution import INTERFACE, list_distributions
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.open_list import OpenListEntry
from portal.models.organisation import Organisation
from portal.platform import Platform
from portal.rules.entry_content import EntryContent
from portal.services.distributions import DistributionService, Upload
from portal.services.entries import EntryService
from portal.services.freshness import FreshnessService, find_freshness
from portal.services.open_list import OpenListService
from portal.services.value import recompute_value

UNREVIEWED = ("draft", "submitted", "returned")
LISTED = ("planned", "open", "suspended", "removed", "retired", "revising")
REVIEW = {
    "confidential": "不涉密",
    "personal": "不含个人信息",
    "aggregation": "汇聚后无敏感推断",
    "opinion": "同意开放",
}


@dataclass(frozen=True)
class Cast:
    """Who acts in a record's story."""

    editor: Actor
    department: Actor
    officer: Actor
    reviewer: Actor
    bureau: Actor


class Stages:
    """One record's story, told through the real services at the dates the record names."""

    def __init__(
        self, platform: Platform, session: Session, clock: HistoryClock, cast: Cast, files: Path
    ) -> None:
        self._platform, self._session, self._clock = platform, session, clock
        self._cast, self._files = cast, files
        self._entries = EntryService(session, clock)
        self._open_list = OpenListService(session, clock)
        self._distributions = DistributionService(session, clock)

    def bring(
        self,
        record: dict[str, Any],
        provider: Organisation,
        dept: Organisation,
        content: EntryContent,
    ) -> CatalogueEntry:
        version = self._entries.create(self._cast.editor, provider, content, responsible_dept=dept)
        stage = record["stage"]
        if stage in UNREVIEWED:
            self._leave_unreviewed(stage, version, record)
            return version.entry
        self._entries.submit(self._cast.department, version)
        self._entries.approve(self._cast.bureau, version)
        entry = version.entry
        self._deliver(entry, record)
        self._tag(entry, record)
        if stage != "published":
            self._list(entry, stage, record)
        self._tick(entry)
        return entry

    def _leave_unreviewed(self, stage: str, version: EntryVersion, record: dict[str, Any]) -> None:
        self._add_files(version.entry, record)
        if stage == "draft":
            return
        self._entries.submit(self._cast.department, version)
        if stage == "returned":
            reason = record.get("reason") or "内容不完整"
            defects = [Defect("abstract", "returned", reason)]
            self._entries.return_for_correction(
                self._cast.bureau, version, reason=reason, defects=defects
            )

    def _deliver(self, entry: CatalogueEntry, record: dict[str, Any]) -> None:
        """Deliver the files at the day the data was last modified, then go back in time."""
        started = self._clock.now
        modified = record.get("data_modified")
        if modified:
            self._clock.move(max(date.fromisoformat(modified), started.astimezone(SHANGHAI).date()))
            entry.data_modified_at = self._clock.now
            FreshnessService(self._session, self._clock).data_updated(entry)
        self._add_files(entry, record)
        self._clock.now = started

    def _add_files(self, entry: CatalogueEntry, record: dict[str, Any]) -> None:
        for file in record.get("files", []):
            path = self._files / file["file"]
            with path.open("rb") as stream:
                stored = self._platform.storage.put(stream)
            self._distributions.add_file(
                self._cast.editor,
                entry,
                Upload(stored, path.name),
                name=file.get("name", ""),
                description=file.get("description", ""),
                format=file.get("format", ""),
            )
        for extension in self._platform.extensions:
            for make in extension.samples:
                make(self._session, self._clock, self._cast.editor, entry, record)

    def _tag(self, entry: CatalogueEntry, record: dict[str, Any]) -> None:
        entry.livelihood_confirmed = bool(record.get("livelihood_confirmed"))
        entry.hvd_tagged = bool(record.get("hvd_tagged"))
        recompute_value(self._session, self._clock, entry)

    def _list(self, entry: CatalogueEntry, stage: str, record: dict[str, Any]) -> None:
        given = record.get("planned_open_on")
        planned_on = (
            date.fromisoformat(given)
            if given
            else self._clock.now.astimezone(SHANGHAI).date() + timedelta(days=30)
        )
        place = self._open_list.propose(self._cast.reviewer, entry, planned_open_date=planned_on)
        if stage not in LISTED:
            return
        self._open_list.pass_review(self._cast.officer, place, REVIEW)
        if stage == "planned" or not self._can_open(place):
            return
        self._open_list.publish(self._cast.reviewer, place, reason="示例：随同批次开放")
        self._after_opening(place, stage, record.get("reason") or "示例")

    def _can_open(self, place: OpenListEntry) -> bool:
        """Conditional data stays planned where no extension gives it an interface."""
        if place.open_type != "conditional":
            return True
        kinds = {d.kind for d in list_distributions(self._session, place.entry_id)}
        return INTERFACE in kinds

    def _after_opening(self, place: OpenListEntry, stage: str, reason: str) -> None:
        if stage == "suspended":
            self._later(30)
            self._open_list.suspend(self._cast.reviewer, place, reason=reason)
        elif stage == "removed":
            self._later(20)
            self._open_list.announce_removal(self._cast.reviewer, place, reason=reason)
            self._later(25)
            self._open_list.remove(self._cast.reviewer, place, reason=reason)
        elif stage == "retired":
            self._later(30)
            self._entries.retire(
                self._cast.bureau, place.entry, reason=reason, consequences_shown=True
            )
        elif stage == "revising":
            self._clock.now = self._platform.clock() - timedelta(days=1)
            self._entries.revise(self._cast.department, place.entry)

    def _later(self, days: int) -> None:
        yesterday = self._platform.clock() - timedelta(days=1)
        self._clock.now = min(self._clock.now + timedelta(days=days), yesterday)

    def _tick(self, entry: CatalogueEntry) -> None:
        """Let the freshness timers say what they would have said by today."""
        freshness = find_freshness(self._session, entry.id)
        if freshness is None:
            return
        self._clock.now = self._platform.clock()
        service = FreshnessService(self._session, self._clock)
        while service.tick(freshness):
            pass
