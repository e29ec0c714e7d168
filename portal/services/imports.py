"""Bring whole CKAN packages in and publish them (flow F1, event `import`): a Bureau administrator.

One at a time as an API client does it, or many in one transaction: then the same rows are written
through the same checks of the flows, with one statement for many rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Conflict, Gone, Invalid, PortalError
from portal.models.entry import CatalogueEntry
from portal.models.former_slug import remember_slug
from portal.models.open_list import find_open_list_entry
from portal.permissions import Permission, require
from portal.services.bulk_import import BulkImport, NewRecord
from portal.services.content import content_of
from portal.services.entries import EntryService
from portal.services.entry_facts import EntryFacts
from portal.services.index_requests import request_index
from portal.services.known_packages import KnownPackages
from portal.services.open_list import OpenListService
from portal.services.package_changes import check_seen, differs, next_modified
from portal.services.package_document import package_dict
from portal.services.package_input import (
    OPENABLE,
    PackageInput,
    extras_of,
    read_foreign,
    states_open,
)
from portal.services.package_resources import sync_resources
from portal.services.provider_finder import ProviderFinder


@dataclass(frozen=True)
class Imported:
    """`outcome`: created, updated or unchanged. `facts` stand around a created entry."""

    entry: CatalogueEntry
    outcome: str
    facts: EntryFacts | None = None


class PackageImporter:
    """Imports packages in one transaction. Never commits.

    Args:
        source: where the packages come from; stands in the audit trail.
        reason: why they are brought in; likewise.
        notify: tell the provider and the Bureau of each package; an import of many tells once.

    Raises:
        Forbidden: the actor is no Bureau administrator.
    """

    def __init__(
        self,
        session: Session,
        clock: Clock,
        actor: Actor,
        *,
        source: str,
        reason: str,
        notify: bool = True,
    ) -> None:
        require(actor, Permission.CATALOGUE_IMPORT)
        self._session, self._clock, self._actor = session, clock, actor
        self._source, self._reason, self._notify = source, reason, notify
        self._providers = ProviderFinder(session, clock)

    def add(self, package: Mapping[str, Any]) -> Imported:
        """Create or update one package.

        Raises:
            Invalid: everything that is wrong with it.
            Conflict: the record changed since the package was read, or is being revised.
        """
        outcome = self.add_many([package])[0]
        if isinstance(outcome, PortalError):
            raise outcome
        return outcome

    def add_many(self, packages: Sequence[Mapping[str, Any]]) -> list[Imported | PortalError]:
        """Create or update packages; each gets its outcome, or what is wrong with it."""
        known = KnownPackages(self._session, packages)
        outcomes: dict[int, Imported | PortalError] = {}
        fresh: dict[int, NewRecord] = {}
        for number, package in enumerate(packages):
            try:
                entry = known.entry_of(package)
                if entry is not None:
                    with self._session.begin_nested():
                        outcomes[number] = self.update(entry, package)
                else:
                    fresh[number] = self._read_new(package, known)
            except PortalError as error:
                outcomes[number] = error
        bulk = BulkImport(
            self._session,
            self._clock,
            self._actor,
            source=self._source,
            reason=self._reason,
            notify=self._notify,
        )
        created = bulk.create(list(fresh.values()))
        for number, (entry, facts) in zip(fresh, created, strict=True):
            outcomes[number] = Imported(entry, "created", facts)
        return [outcomes[number] for number in range(len(packages))]

    def _read_new(self, package: Mapping[str, Any], known: KnownPackages) -> NewRecord:
        _check_publishable(package)
        read = read_foreign(package)
        known.take(read)
        provider = self._providers.provider_of(package, create_as=self._actor)
        responsible = self._providers.responsible_for(
            provider, extras_of(package).get("jl_responsible_dept")
        )
        return NewRecord(package, read, provider, responsible)

    def update(self, entry: CatalogueEntry, package: Mapping[str, Any]) -> Imported:
        """Bring a published entry to what the package says; one that says nothing new writes nothing.

        Raises:
            Conflict: the record changed since the package was read; somebody is revising it; or it
                has never been published (then it is its provider's).
            Gone: it was retired.
        """
        if entry.retired_at is not None:
            raise Gone("数据“{name}”已撤下，恢复后才能更新。", name=entry.slug)
        version = entry.published_version
        if version is None:
            raise Conflict("“{name}”是提供单位的草稿，尚未发布，不能导入覆盖。", name=entry.slug)
        _check_publishable(package)
        before = entry.metadata_modified_at
        shown = package_dict(self._session, entry, version, internal=True)
        given = self._without_same_owner(entry, package)
        if not differs(given, shown):
            return Imported(entry, "unchanged")
        check_seen(package, before)
        read = read_foreign(package, content_of(version), shown=shown)
        if not self._write(entry, read, given):
            return Imported(entry, "unchanged")
        entry.metadata_modified_at = next_modified(
            package.get("metadata_modified"), before, self._clock()
        )
        request_index(self._session, self._clock, entry)
        return Imported(entry, "updated")

    def _without_same_owner(
        self, entry: CatalogueEntry, package: Mapping[str, Any]
    ) -> dict[str, Any]:
        given = dict(package)
        if given.get("owner_org") and self._providers.find(given["owner_org"]) is entry.provider:
            del given["owner_org"]
        return given

    def _write(self, entry: CatalogueEntry, read: PackageInput, given: Mapping[str, Any]) -> bool:
        """Write what is new; return whether anything was."""
        changed = False
        if given.get("owner_org") or given.get("organization"):
            provider = self._providers.provider_of(given, create_as=self._actor)
            if given.get("owner_org") and provider is not entry.provider:
                entry.provider, entry.provider_id = provider, provider.id
                entry.responsible_dept = self._providers.responsible_for(provider)
                entry.responsible_dept_id = entry.responsible_dept.id
                changed = True
        if read.name and read.name != entry.slug and read.name != entry.public_id:
            remember_slug(self._session, entry, read.name, self._clock())
            changed = True
        before = entry.published_version_id
        EntryService(self._session, self._clock).replace_published(
            self._actor,
            entry,
            read.content,
            "import",
            reason=self._reason,
            notify=self._notify,
            facts={"source": self._source, "details": {"source": self._source}},
        )
        changed |= entry.published_version_id != before
        if read.resources is not None:
            changed |= sync_resources(
                self._session, self._clock, self._actor, entry, read.resources, strict=False
            )
        if changed:
            open_directly(
                self._session, self._clock, self._actor, entry, given, self._source, self._reason
            )
        return changed


def open_directly(
    session: Session,
    clock: Clock,
    actor: Actor,
    entry: CatalogueEntry,
    package: Mapping[str, Any],
    source: str,
    reason: str,
) -> None:
    """Put an imported entry on its provider's open list where the law and the record let it."""
    version = entry.published_version
    if version is None or version.open_type not in OPENABLE or not states_open(package):
        return
    if find_open_list_entry(session, entry.id) is None:
        OpenListService(session, clock).open_directly(
            actor, entry, "import", reason=reason, source=source
        )


def _check_publishable(package: Mapping[str, Any]) -> None:
    """An import publishes: what is meant to stay unseen is refused, never shown by mistake."""
    if package.get("private") in (True, "true", "True"):
        raise Invalid.one(
            "private",
            "not_importable",
            "导入的数据会直接发布；不公开的数据请由提供单位的编目员创建草稿。",
        )
    if package.get("state") not in (None, "", "active"):
        raise Invalid.one(
            "state", "not_importable", "state 为“{value}”的数据不能导入。", value=package["state"]
        )


def import_package(
    session: Session,
    clock: Clock,
    actor: Actor,
    package: Mapping[str, Any],
    *,
    source: str,
    reason: str,
) -> Imported:
    """Create or update one package and publish it. See `PackageImporter.add`."""
    return PackageImporter(session, clock, actor, source=source, reason=reason).add(package)
