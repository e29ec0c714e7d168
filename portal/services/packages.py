"""What officials do with their own entries through the Action API: drafts, revisions, discarding."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Conflict, Forbidden, Gone, Invalid
from portal.models.entry import CatalogueEntry, EntryVersion, find_unfinished_version
from portal.models.organisation import Organisation
from portal.services.content import content_of
from portal.services.entries import EntryService
from portal.services.index_requests import request_index
from portal.services.package_changes import differs
from portal.services.package_document import modified_at, package_dict
from portal.services.package_draft import read_draft
from portal.services.package_input import extras_of
from portal.services.package_resources import sync_resources
from portal.services.provider_finder import ProviderFinder
from portal.services.wire_dates import instant_of


class PackageService:
    """Drafts written as CKAN packages. Never commits."""

    def __init__(self, session: Session, clock: Clock, actor: Actor) -> None:
        self._session, self._clock, self._actor = session, clock, actor
        self._entries = EntryService(session, clock)
        self._providers = ProviderFinder(session, clock)

    def create(self, package: Mapping[str, Any]) -> EntryVersion:
        """Start an entry with a draft that only its organisation sees.

        Raises:
            Invalid: every field at fault; the organisation is not the actor's own.
            Forbidden: the actor's roles make no drafts.
        """
        provider = self._own_provider(package)
        read = read_draft(package)
        version = self._entries.create(
            self._actor,
            provider,
            read.content,
            responsible_dept=self._providers.responsible_for(
                provider, extras_of(package).get("jl_responsible_dept")
            ),
            public_id=read.public_id or None,
            name=read.name or None,
        )
        self._sync(version.entry, read.resources)
        request_index(self._session, self._clock, version.entry)
        return version

    def _own_provider(self, package: Mapping[str, Any]) -> Organisation:
        own = self._actor.acts_for("agency")
        if not own:
            raise Forbidden()
        if not package.get("owner_org") and len(own) == 1:
            return self._session.get_one(Organisation, next(iter(own)))
        return self._providers.provider_of(package)

    def save(self, entry: CatalogueEntry, package: Mapping[str, Any]) -> EntryVersion:
        """Keep what the package says in the entry's draft; a published entry gets a revision first.

        A package that says nothing new writes nothing.

        Raises:
            Invalid, Forbidden.
            Conflict: the draft changed since the package was read.
            IllegalEvent: the version is being reviewed.
        """
        if entry.retired_at is not None:
            raise Gone("数据“{name}”已撤下。", name=entry.slug)
        version = self.current(entry)
        self._check_seen(package, entry, version)
        self._check_owner(package, entry)
        shown = package_dict(self._session, entry, version, internal=True)
        given = {key: value for key, value in package.items() if key != "owner_org"}
        if given.get("name") in (entry.public_id, ""):
            del given["name"]
        if not differs(given, shown):
            return version
        read = read_draft(given, content_of(version), shown=shown)
        if read.name and read.name != entry.slug:
            raise Invalid.one("name", "fixed", "name 在创建后不能更改。")
        if read.content != content_of(version):
            if version.published_at is not None:
                version = self._entries.revise(self._actor, entry)
            self._entries.save(self._actor, version, read.content, seen=version.row_version)
            version.modified_at = max(
                self._clock(), modified_at(entry, version) + timedelta(microseconds=1)
            )
        self._sync(entry, read.resources)
        request_index(self._session, self._clock, entry)
        return version

    def current(self, entry: CatalogueEntry) -> EntryVersion:
        """Return the version that officials work on: the unfinished one, else the published one."""
        version = find_unfinished_version(self._session, entry.id) or entry.published_version
        if version is None:
            raise Gone("数据“{name}”没有可编辑的版本。", name=entry.slug)
        return version

    def _check_seen(
        self, package: Mapping[str, Any], entry: CatalogueEntry, version: EntryVersion
    ) -> None:
        seen = instant_of(package.get("metadata_modified"))
        if seen is not None and seen != modified_at(entry, version):
            raise Conflict()

    def _check_owner(self, package: Mapping[str, Any], entry: CatalogueEntry) -> None:
        owner = package.get("owner_org")
        if owner and self._providers.find(owner) is not entry.provider:
            raise Invalid.one("owner_org", "fixed", "提供单位（owner_org）在创建后不能更改。")

    def _sync(self, entry: CatalogueEntry, resources: Any) -> None:
        if resources is not None:
            sync_resources(self._session, self._clock, self._actor, entry, resources, strict=True)

    def discard(self, entry: CatalogueEntry, *, reason: str) -> None:
        """Discard the actor's own draft.

        Raises:
            Forbidden: there is no draft, or it is not the actor's to discard.
        """
        version = find_unfinished_version(self._session, entry.id)
        if version is None or version.state not in ("draft", "returned"):
            raise Forbidden("已发布的数据只能由数字化局撤下。")
        self._entries.discard(self._actor, version, reason=reason)
        request_index(self._session, self._clock, entry, tightens=entry.published_version is None)
