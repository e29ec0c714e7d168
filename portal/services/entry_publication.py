"""What makes a version the one that the public sees: by the review, by an import, by a harvest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.actor import SYSTEM, Actor
from portal.clock import Clock
from portal.errors import Conflict, IllegalEvent
from portal.models.entry import CatalogueEntry, EntryVersion, find_unfinished_version
from portal.rules.entry_content import EntryContent
from portal.services.catalogue_flow import FLOW
from portal.services.content import content_of, set_content
from portal.services.flow import Flow
from portal.services.freshness import FreshnessService
from portal.services.index_requests import request_index
from portal.services.open_list import OpenListService
from portal.services.release_checks import judge_again
from portal.services.value import recompute_value


class EntryPublication:
    """The part of `EntryService` that puts versions out. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._flow = Flow(FLOW, session, clock)

    def new_version(
        self, entry: CatalogueEntry, content: EntryContent, actor: Actor
    ) -> EntryVersion:
        now = self._clock()
        number = self._session.scalar(
            select(func.coalesce(func.max(EntryVersion.number), 0)).where(
                EntryVersion.entry_id == entry.id
            )
        )
        version = EntryVersion(
            entry=entry,
            entry_id=entry.id,
            number=(number or 0) + 1,
            editors=[actor.account_id] if actor.account_id is not None else [],
            created_at=now,
            modified_at=now,
        )
        set_content(version, content)
        return version

    def publish(self, version: EntryVersion) -> None:
        """Put an approved version out (the system; reviewers call `approve`)."""
        entry = version.entry
        request_index(self._session, self._clock, entry)
        previous = entry.published_version
        if previous is not None:
            self._flow.fire(previous, "supersede", SYSTEM, newer=version)
        self._flow.fire(version, "publish", SYSTEM)
        self._show(entry, version, previous)
        judge_again(self._session, self._clock, entry)

    def _show(
        self, entry: CatalogueEntry, version: EntryVersion, previous: EntryVersion | None
    ) -> None:
        """Make the version the one that the public sees, and all that follows from it."""
        now = self._clock()
        entry.published_version = version
        entry.published_version_id = version.id
        entry.issued_at = entry.issued_at or now
        entry.metadata_modified_at = now
        self._session.flush()
        FreshnessService(self._session, self._clock).start(entry)
        if previous is not None and previous.open_type != version.open_type:
            OpenListService(self._session, self._clock).follow_new_type(entry)
        recompute_value(self._session, self._clock, entry)
        request_index(self._session, self._clock, entry, tightens=_tightens(previous, version))

    def publish_directly(
        self,
        actor: Actor,
        entry: CatalogueEntry,
        content: EntryContent,
        event: str,
        *,
        reason: str,
        notify: bool = True,
        issued_at: datetime | None = None,
        **facts: Any,
    ) -> EntryVersion:
        """Publish a first version by `import` or `harvest`: the only ways round the review.

        Each is recorded with its source and stands on the Bureau's list for a second look.
        """
        version = self.new_version(entry, content, actor)
        request_index(self._session, self._clock, entry)
        self._flow.create(version, event, actor, reason=reason, notify=notify, **facts)
        entry.needs_second_look = True
        entry.issued_at = issued_at
        self._show(entry, version, None)
        return version

    def replace_published(
        self,
        actor: Actor,
        entry: CatalogueEntry,
        content: EntryContent,
        event: str,
        *,
        reason: str,
        notify: bool = True,
        facts: Mapping[str, Any] | None = None,
    ) -> EntryVersion:
        """Put a new version in the place of the published one without review.

        `import` (a Bureau administrator) and `update_from_source` (a harvest) only. Content that
        changes nothing writes nothing.
        """
        previous = self._published(entry)
        if content == content_of(previous):
            return previous
        if find_unfinished_version(self._session, entry.id) is not None and event == "import":
            raise Conflict("该目录正在修订，导入会覆盖他人的修改；请先完成或作废修订中的版本。")
        version = self.new_version(entry, content, actor)
        request_index(self._session, self._clock, entry)
        given = dict(facts or {})
        if event == "update_from_source":
            self._flow.fire(previous, event, actor, reason=reason, notify=notify, after=version)
            event, notify = "harvest", False
        self._flow.create(version, event, actor, reason=reason, notify=notify, **given)
        self._flow.fire(previous, "supersede", SYSTEM, newer=version, notify=notify)
        self._show(entry, version, previous)
        judge_again(self._session, self._clock, entry)
        return version

    def _published(self, entry: CatalogueEntry) -> EntryVersion:
        if entry.published_version is None:
            raise IllegalEvent(state="未发布", event="撤下")
        return entry.published_version


def _tightens(previous: EntryVersion | None, version: EntryVersion) -> bool:
    """True if what the public may find of the entry shrinks with the new version.

    Metadata of every published entry is public, so only a changed content counts: words that a
    new version leaves out must not be found through the old document.
    """
    return previous is not None and previous.content_hash != version.content_hash
