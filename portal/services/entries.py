"""Catalogue entries: compile, review, publish, revise, retire (flow F1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from portal.actor import Actor
from portal.clock import local_date
from portal.errors import Conflict, Defect, IllegalEvent, Invalid
from portal.models.entry import CatalogueEntry, EntryVersion, find_unfinished_version
from portal.models.former_slug import find_renamed_entry
from portal.models.organisation import Organisation
from portal.rules.entry_content import EntryContent
from portal.rules.metadata_profile import JL_1
from portal.rules.release_day import planned_day
from portal.rules.resource_code import slug
from portal.services.content import content_of, set_content
from portal.services.entry_publication import EntryPublication
from portal.services.freshness import FreshnessService
from portal.services.index_requests import request_index
from portal.services.open_list import OpenListService
from portal.services.release_checks import judge_again
from portal.services.resource_codes import next_code
from portal.services.responsibility import department_for
from portal.services.similar_entries import as_values, similar_to
from search.engine import SearchEngine


class EntryService(EntryPublication):
    """Everything that may happen to a catalogue entry. Never commits."""

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
        if name and find_renamed_entry(self._session, name):
            raise Invalid.one("name", "taken", "“{value}”已被使用，请换一个。", value=name)

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
        before = version.row_version
        self._flow.fire(version, "save", actor, seen=seen, key=key, details={"changed": changed})
        if version.row_version == before:  # the key was used, and somebody wrote since
            raise Conflict()
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
        before, similar = version.row_version, similar_to(self._session, engine, version)
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
        if version.row_version != before:  # else the same click again, maybe long after
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
        before = version.row_version
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
        if version.row_version != before:
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
        before = version.row_version
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
        if version.row_version == before:  # the same click again, maybe after it was called off
            version.release_on = None if version.state == "submitted" else version.release_on
        elif version.release_on is None:
            self.publish(version)
        return version

    def show_supplementary(self, version: EntryVersion) -> None:
        """Make public what the city published (flow F3; `SupplementaryService` calls it)."""
        self._show(version.entry, version, None)
        judge_again(self._session, self._clock, version.entry)

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
        before = version.row_version
        self._flow.fire(
            version,
            event,
            actor,
            reason=reason,
            key=key,
            consequences_shown=consequences_shown,
            **facts,
        )
        if version.row_version == before:  # the same click again, maybe after it was restored
            return
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
        before = published.row_version
        self._flow.fire(published, event, actor, reason=reason, key=key, notify=notify)
        if published.row_version == before:  # the same click again, maybe after it was retired
            return
        entry.retired_at, entry.retired_reason, entry.retired_by_source = None, "", False
        entry.metadata_modified_at = self._clock()
        self._session.flush()
        FreshnessService(self._session, self._clock).restart(entry)
        request_index(self._session, self._clock, entry)
