"""Catalogue entries: compile, review, publish, revise, retire (flow F1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.actor import SYSTEM, Actor
from portal.clock import Clock, local_date
from portal.errors import Conflict, Defect, IllegalEvent, Invalid
from portal.models.entry import CatalogueEntry, EntryVersion, find_unfinished_version
from portal.models.organisation import Organisation
from portal.rules.entry_content import EntryContent
from portal.rules.metadata_profile import JL_1
from portal.rules.release_day import planned_day
from portal.rules.resource_code import slug
from portal.services.catalogue_flow import FLOW
from portal.services.content import content_of, set_content
from portal.services.flow import Flow
from portal.services.freshness import FreshnessService
from portal.services.index_requests import request_index
from portal.services.open_list import OpenListService
from portal.services.release_checks import judge_again
from portal.services.resource_codes import next_code
from portal.services.responsibility import department_for
from portal.services.similar_entries import as_values, similar_to
from portal.services.value import recompute_value
from search.engine import SearchEngine


class EntryService:
    """Everything that may happen to a catalogue entry. Never commits."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._flow = Flow(FLOW, session, clock)

    def create(
        self,
        actor: Actor,
        provider: Organisation,
        content: EntryContent,
        *,
        responsible_dept: Organisation | None = None,
        public_id: str | None = None,
        name: str | None = None,
    ) -> EntryVersion:
        """Start a new entry with a first version in `draft`.

        Args:
            responsible_dept: counts where the provider belongs to no system (art. 14).
            public_id, name: a CKAN client's own id and name; made by us when absent.

        Raises:
            Invalid: id, name or title are taken.
        """
        department = department_for(self._session, self._clock, provider.id) or responsible_dept
        entry = self.new_entry(
            provider, department or provider, content, JL_1, public_id=public_id, name=name
        )
        version = self.new_version(entry, content, actor)
        self._flow.create(version, "create", actor)
        self._index_unpublished(version)
        return version

    def _index_unpublished(self, version: EntryVersion) -> None:
        """What is not public yet is findable for its organisation: keep the index with it."""
        if version.entry.published_version_id is None:
            request_index(self._session, self._clock, version.entry)

    def new_entry(
        self,
        provider: Organisation,
        responsible_dept: Organisation,
        content: EntryContent,
        profile: str,
        *,
        public_id: str | None = None,
        name: str | None = None,
    ) -> CatalogueEntry:
        self._check_free(public_id, name)
        code = next_code(self._session, provider, content)
        now = self._clock()
        entry = CatalogueEntry(
            code=code,
            slug=name or slug(code),
            metadata_profile=profile,
            provider=provider,
            responsible_dept=responsible_dept,
            provider_id=provider.id,
            responsible_dept_id=responsible_dept.id,
            created_at=now,
            metadata_modified_at=now,
        )
        if public_id:
            entry.public_id = public_id
        self._session.add(entry)
        self._session.flush()
        return entry

    def _check_free(self, public_id: str | None, name: str | None) -> None:
        for field, column, value in (
            ("id", CatalogueEntry.public_id, public_id),
            ("name", CatalogueEntry.slug, name),
        ):
            if value and self._session.scalar(select(CatalogueEntry.id).where(column == value)):
                raise Invalid.one(field, "taken", "“{value}”已被使用，请换一个。", value=value)

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

    def save(
        self,
        actor: Actor,
        version: EntryVersion,
        content: EntryContent,
        *,
        seen: int | None = None,
        key: str | None = None,
    ) -> EntryVersion:
        """Keep new content in a draft or returned version; an unchanged one writes nothing."""
        if content == content_of(version):
            return version
        changed = sorted(
            name
            for name in EntryContent.__dataclass_fields__
            if getattr(content, name) != getattr(content_of(version), name)
        )
        self._flow.fire(version, "save", actor, seen=seen, key=key, details={"changed": changed})
        set_content(version, content)
        version.modified_at = self._clock()
        if actor.account_id is not None and actor.account_id not in version.editors:
            version.editors = [*version.editors, actor.account_id]
        self._index_unpublished(version)
        return version

    def submit(
        self,
        actor: Actor,
        version: EntryVersion,
        *,
        engine: SearchEngine | None = None,
        seen: int | None = None,
        key: str | None = None,
    ) -> EntryVersion:
        """Hand a version in for review; similar entries that it goes beside need a reason (art. 16).

        Args:
            engine: finds entries that are alike; None finds those of the same title only.
        """
        event = "resubmit" if version.state == "returned" else "submit"
        similar = similar_to(self._session, engine, version)
        reason = content_of(version).duplicate_reason if similar else ""
        self._flow.fire(
            version,
            event,
            actor,
            seen=seen,
            key=key,
            duplicates=tuple(one.title for one in similar),
            details={
                "content_hash": version.content_hash,
                "similar": [one.slug for one in similar],
                "duplicate_reason": reason,
            },
        )
        version.return_defects = []
        version.similar_entries = as_values(similar)
        self._index_unpublished(version)
        return version

    def withdraw(self, actor: Actor, version: EntryVersion, *, key: str | None = None) -> None:
        self._flow.fire(version, "withdraw_submission", actor, key=key)
        self._index_unpublished(version)

    def return_for_correction(
        self,
        actor: Actor,
        version: EntryVersion,
        *,
        reason: str,
        defects: Sequence[Defect],
        seen: int | None = None,
        key: str | None = None,
    ) -> EntryVersion:
        """Send a submitted version back with every defect listed at once."""
        listed = [{"field": d.field, "message": d.text()} for d in defects]
        self._flow.fire(
            version,
            "return",
            actor,
            reason=reason,
            defects=listed,
            seen=seen,
            key=key,
            details={"defects": listed, "content_hash": version.content_hash},
        )
        version.return_defects = listed
        self._index_unpublished(version)
        return version

    def approve(
        self,
        actor: Actor,
        version: EntryVersion,
        *,
        release_on: date | None = None,
        seen: int | None = None,
        key: str | None = None,
    ) -> EntryVersion:
        """Approve a submitted version and put it out in the same transaction, or on a later day.

        Args:
            release_on: local day on which `scheduled_release` puts it out; None or today: at once.

        Raises:
            Invalid: the day lies in the past or more than a year ahead.
        """
        planned = planned_day(release_on, local_date(self._clock()))
        if version.state == "submitted":
            version.release_on = planned
        self._flow.fire(
            version,
            "approve",
            actor,
            seen=seen,
            key=key,
            details={
                "content_hash": version.content_hash,
                "release_on": planned.isoformat() if planned else "",
            },
        )
        if version.state == "approved" and version.release_on is None:
            self.publish(version)
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

    def show_supplementary(self, version: EntryVersion) -> None:
        """Make public what the city published (flow F3; `SupplementaryService` calls it)."""
        self._show(version.entry, version, None)
        judge_again(self._session, self._clock, version.entry)

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

    def revise(
        self, actor: Actor, entry: CatalogueEntry, *, key: str | None = None
    ) -> EntryVersion:
        """Open version n+1 in `draft`; version n stays published."""
        published = entry.published_version
        if published is None:
            raise IllegalEvent(state="未发布", event="修订")
        self._flow.fire(published, "revise", actor, key=key)
        unfinished = find_unfinished_version(self._session, entry.id)
        if unfinished is not None:
            return unfinished
        version = self.new_version(entry, content_of(published), actor)
        version.editors = []
        self._flow.create(version, "create", actor)
        return version

    def discard(
        self, actor: Actor, version: EntryVersion, *, reason: str, key: str | None = None
    ) -> None:
        self._flow.fire(version, "discard", actor, reason=reason, key=key)
        request_index(self._session, self._clock, version.entry, tightens=True)

    def retire(
        self,
        actor: Actor,
        entry: CatalogueEntry,
        *,
        reason: str,
        consequences_shown: bool,
        event: str = "retire",
        key: str | None = None,
        **facts: Any,
    ) -> None:
        """Take the entry out of the public catalogue; its open list place ends with it."""
        version = self._published(entry)
        self._flow.fire(
            version,
            event,
            actor,
            reason=reason,
            key=key,
            consequences_shown=consequences_shown,
            **facts,
        )
        entry.retired_at = self._clock()
        entry.retired_reason = reason
        entry.retired_by_source = event == "source_gone"
        entry.metadata_modified_at = self._clock()
        self._session.flush()
        OpenListService(self._session, self._clock).end_with_entry(entry)
        FreshnessService(self._session, self._clock).stop(entry)
        request_index(self._session, self._clock, entry, tightens=True)

    def restore(
        self,
        actor: Actor,
        entry: CatalogueEntry,
        *,
        reason: str,
        event: str = "restore",
        key: str | None = None,
        notify: bool = True,
    ) -> None:
        published = self._published(entry)
        self._flow.fire(published, event, actor, reason=reason, key=key, notify=notify)
        entry.retired_at, entry.retired_reason, entry.retired_by_source = None, "", False
        entry.metadata_modified_at = self._clock()
        self._session.flush()
        FreshnessService(self._session, self._clock).restart(entry)
        request_index(self._session, self._clock, entry)

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
