"""The resources of a package and the distributions of an entry, brought to agree."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from harvesters.ckan.mapping import record_from_package
from harvesters.record import HarvestedFile
from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Invalid
from portal.models.distribution import FILE, LINK, Distribution, list_distributions
from portal.models.entry import CatalogueEntry
from portal.services.code_book import code_book, format_code
from portal.services.distributions import NAME_MAX, DistributionService, check_link
from portal.services.wire_dates import instant_of

PUBLIC_ID = re.compile(r"(?!\.{1,2}$)[\w.:-]{1,100}")
"""What an id of a data set or a resource may look like: it stands in addresses, never in paths."""

_LINKABLE = re.compile(r"https?://[^\s/]+", re.IGNORECASE)
_SERVER_KEYS = frozenset(
    {"package_id", "position", "state", "datastore_active", "revision_id", "upload"}
)
_FILE_KEYS = _SERVER_KEYS | {
    "cache_last_updated", "cache_url", "created", "format", "hash", "last_modified", "mimetype",
    "metadata_modified", "mimetype_inner", "resource_type", "size", "url", "url_type", "name",
    "description", "id", "tracking_summary",
}  # fmt: skip
"""Keys of an uploaded file that the portal knows better than any client."""


@dataclass(frozen=True)
class ResourceInput:
    """What a client says of one resource; `foreign` keeps every other key as it came."""

    public_id: str = ""
    name: str = ""
    description: str = ""
    format: str = ""
    media_type: str = ""
    url: str = ""
    created: datetime | None = None
    modified: datetime | None = None
    foreign: Mapping[str, Any] = field(default_factory=dict)

    @property
    def linkable_url(self) -> str:
        """Return the address if a page may link to it, else nothing (it stays in `foreign`)."""
        return self.url if _LINKABLE.match(self.url) else ""


def read_resource(resource: Mapping[str, Any], file: HarvestedFile | None = None) -> ResourceInput:
    """Return a resource in our words; `file` is what a mapping made of it already.

    Raises:
        Invalid: a text that is none.
    """
    for key in ("id", "name", "url", "description", "format", "mimetype"):
        if resource.get(key) is not None and not isinstance(resource[key], str):
            raise Invalid.one(f"resources.{key}", "type", "“{field}”应为文字。", field=key)
    own_id = str(resource.get("id") or "")
    if own_id and not PUBLIC_ID.fullmatch(own_id):
        text = "“{field}”只能由文字、数字、点、冒号、连字符和下划线组成，最多100个字符。"
        raise Invalid.one("id", "pattern", text, field="id")
    if file is None:
        package = {"id": "-", "title": "-", "resources": [resource]}
        file = record_from_package(package, code_book()).files[0]
    foreign = {k: v for k, v in file.foreign.items() if k not in _SERVER_KEYS}
    created, modified = (instant_of(foreign.get(key)) for key in ("created", "metadata_modified"))
    for key, moment in (("created", created), ("metadata_modified", modified)):
        if moment is not None:
            del foreign[key]
    code = format_code(file.format)
    if file.format and file.format != code:
        foreign.setdefault("format", file.format)
    if file.url and not _LINKABLE.match(file.url):
        foreign["url"] = file.url
    return ResourceInput(
        public_id=own_id,
        name=file.name,
        description=file.description,
        format=code[:100],
        media_type=file.media_type[:200],
        url=file.url,
        created=created,
        modified=modified,
        foreign=foreign,
    )


def new_distribution(
    entry: CatalogueEntry, resource: ResourceInput, position: int, now: datetime
) -> Distribution:
    """Return a link for a resource of a record that is brought in whole."""
    created = resource.created or now
    distribution = Distribution(
        entry=entry,
        entry_id=entry.id,
        kind=LINK,
        name=resource.name[:NAME_MAX],
        description=resource.description,
        format=resource.format,
        media_type=resource.media_type,
        url=resource.linkable_url,
        position=position,
        foreign=dict(resource.foreign),
        created_at=created,
        modified_at=resource.modified or created,
    )
    distribution.public_id = resource.public_id or str(uuid4())
    return distribution


def sync_resources(
    session: Session,
    clock: Clock,
    actor: Actor,
    entry: CatalogueEntry,
    resources: Sequence[ResourceInput],
    *,
    strict: bool,
) -> bool:
    """Add, change and take off distributions until they are those of the package, in its order.

    An uploaded file keeps its data; of it only name, description and order are taken. Returns
    whether anything changed.

    Args:
        strict: refuse addresses that are none; else they are kept as data that no page links to.

    Raises:
        Invalid, Forbidden.
    """
    service = DistributionService(session, clock)
    existing = {d.public_id: d for d in list_distributions(session, entry.id)}
    changed = False
    for position, resource in enumerate(resources):
        known = existing.pop(resource.public_id, None)
        if known is None:
            add_resource(service, actor, entry, resource, position, clock(), strict=strict)
            changed = True
        else:
            changed |= change_resource(
                service, actor, known, resource, strict=strict, position=position
            )
    for distribution in existing.values():
        service.delete(actor, distribution)
        changed = True
    return changed


def add_resource(
    service: DistributionService,
    actor: Actor,
    entry: CatalogueEntry,
    resource: ResourceInput,
    position: int,
    now: datetime,
    *,
    strict: bool,
) -> Distribution:
    """Add a link. Raises: Invalid when strict and there is no address to link to."""
    if strict:
        if not resource.url:
            raise Invalid.one("url", "missing", "请填写“url”，或上传文件（upload）。")
        check_link(resource.url)
        resource = replace(resource, created=now, modified=now)
    return service.add(actor, new_distribution(entry, resource, position, now))


def change_resource(
    service: DistributionService,
    actor: Actor,
    distribution: Distribution,
    resource: ResourceInput,
    *,
    strict: bool,
    position: int | None = None,
) -> bool:
    """Bring a distribution to what the client says of it; return whether anything changed."""
    values: dict[str, Any] = {
        "name": resource.name[:NAME_MAX] or distribution.name,
        "description": resource.description,
    }
    if position is not None:
        values["position"] = position
    if distribution.kind == FILE:
        values["foreign"] = {k: v for k, v in resource.foreign.items() if k not in _FILE_KEYS}
    elif distribution.kind == LINK:
        values |= {
            "format": resource.format,
            "media_type": resource.media_type,
            "foreign": dict(resource.foreign),
        }
        if strict or resource.linkable_url:
            values["url"] = resource.url
    changed = any(getattr(distribution, name) != value for name, value in values.items())
    if changed:
        service.change(actor, distribution, **values)
    return changed
