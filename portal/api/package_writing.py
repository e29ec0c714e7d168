"""Packages: create, update, patch, delete.

An official's package becomes a draft that only the own organisation sees; a Bureau administrator's
is published by the event `import`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import AliasChoices, Field

from portal.api.action import Action, Call, Raw
from portal.api.inputs import LONGEST_KEY, Input
from portal.api.packages import readable_entry
from portal.errors import Forbidden
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.permissions import Permission
from portal.services.entries import EntryService
from portal.services.entry_facts import EntryFacts
from portal.services.imports import PackageImporter
from portal.services.package_document import package_dict, render_package, with_site
from portal.services.packages import PackageService
from portal.web.access import Access

SOURCE = "Action API"
UPDATE_REASON = "管理员通过接口导入"
DELETE_REASON = "管理员通过接口撤下"


class Package(Input):
    """A package dict; what it must hold depends on who sends it."""


class ExistingPackage(Input):
    id: str = Field(
        min_length=1,
        max_length=LONGEST_KEY,
        validation_alias=AliasChoices("id", "name", "name_or_id"),
    )


def package_create(call: Call, _given: Package) -> Raw:
    """Create a data set. Officials make a draft; a Bureau administrator publishes (see docs)."""
    if call.may(Permission.CATALOGUE_IMPORT):
        done = _importer(call).add(call.data)
        return shown(call, done.entry, done.entry.published_version, done.facts)
    service = PackageService(call.session, call.platform.clock, call.actor)
    version = service.create(call.data)
    return shown(call, version.entry, version)


def package_update(call: Call, given: ExistingPackage) -> Raw:
    """Replace what a data set says. One that says nothing new changes nothing.

    metadata_modified: when given, it must be that of the state that was read; else 409.
    """
    return _save(call, readable_entry(call, given.id), call.data)


def package_patch(call: Call, given: ExistingPackage) -> Raw:
    """Change only the keys that are sent, and leave the others."""
    entry = readable_entry(call, given.id)
    service = PackageService(call.session, call.platform.clock, call.actor)
    version = entry.published_version if _imports(call, entry) else service.current(entry)
    base = package_dict(call.session, entry, version, internal=True)
    del base["metadata_modified"]
    return _save(call, entry, {**base, **call.data})


def _imports(call: Call, entry: CatalogueEntry) -> bool:
    return entry.published_version is not None and call.may(Permission.CATALOGUE_IMPORT)


def _save(call: Call, entry: CatalogueEntry, package: dict[str, Any] | Any) -> Raw:
    if _imports(call, entry):
        _importer(call).update(entry, package)
        return shown(call, entry, entry.published_version)
    version = PackageService(call.session, call.platform.clock, call.actor).save(entry, package)
    return shown(call, entry, version)


def save_package(call: Call, entry: CatalogueEntry, package: Mapping[str, Any]) -> dict[str, Any]:
    """Save as `package_update` does; return the package as values."""
    saved: dict[str, Any] = orjson.loads(_save(call, entry, package).json)
    return saved


def _importer(call: Call) -> PackageImporter:
    return PackageImporter(
        call.session, call.platform.clock, call.actor, source=SOURCE, reason=UPDATE_REASON
    )


def shown(
    call: Call,
    entry: CatalogueEntry,
    version: EntryVersion | None,
    facts: EntryFacts | None = None,
) -> Raw:
    """Return the package of the version that the caller just wrote, with what officials see."""
    call.session.flush()
    raw = render_package(call.session, entry, version, facts=facts, internal=True)
    return Raw(with_site(raw, call.platform.settings.site_url))


class PackageDelete(ExistingPackage):
    reason: str = Field(default=DELETE_REASON, max_length=2000)


def package_delete(call: Call, given: PackageDelete) -> None:
    """Retire a published data set (a Bureau administrator), or discard an own draft."""
    entry = readable_entry(call, given.id)
    if _imports(call, entry):
        if entry.retired_at is None:
            EntryService(call.session, call.platform.clock).retire(
                call.actor, entry, reason=given.reason, consequences_shown=True
            )
        return
    if not call.may(Permission.ENTRY_EDIT, entry):
        raise Forbidden()
    reason = given.reason if given.reason != DELETE_REASON else "编目员通过接口作废"
    PackageService(call.session, call.platform.clock, call.actor).discard(entry, reason=reason)


ACTIONS = (
    Action("package_create", Access.WRITE, package_create, Package),
    Action("package_update", Access.WRITE, package_update, ExistingPackage),
    Action("package_patch", Access.WRITE, package_patch, ExistingPackage),
    Action("package_delete", Access.WRITE, package_delete, PackageDelete),
)
