"""A distribution as CKAN's resource."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from portal.models.distribution import FILE, LINK, Distribution
from portal.services.code_book import format_code, format_label

SITE = "\ufdd0"
"""Stands before each path of this portal in a kept document; no text holds this non-character."""

_AS_IT_CAME = ("name", "description", "mimetype")


def naive_utc(instant: datetime) -> str:
    """Return the instant as CKAN writes it: naive UTC with microseconds."""
    return instant.replace(tzinfo=None).isoformat(timespec="microseconds")


def resource_dict(distribution: Distribution) -> dict[str, Any]:
    """Return the resource. Unknown keys of foreign ones come back as they came."""
    foreign, data = distribution.foreign, distribution.current_version
    changed = data.created_at if data else distribution.modified_at
    resource: dict[str, Any] = {
        "cache_last_updated": foreign.get("cache_last_updated"),
        "cache_url": foreign.get("cache_url"),
        "created": naive_utc(distribution.created_at),
        "datastore_active": bool(data and data.table_state == "ready" and not data.hold),
        "description": distribution.description,
        "format": _format(distribution),
        "hash": data.sha256 if data else foreign.get("hash", ""),
        "id": distribution.public_id,
        "last_modified": naive_utc(changed),
        "metadata_modified": naive_utc(distribution.modified_at),
        "mimetype": distribution.media_type or None,
        "mimetype_inner": foreign.get("mimetype_inner"),
        "name": distribution.name,
        "package_id": distribution.entry.public_id,
        "position": distribution.position,
        "resource_type": foreign.get("resource_type"),
        "size": data.size_bytes if data else foreign.get("size"),
        "state": "active",
        "url": _address(distribution),
        "url_type": "upload" if distribution.kind == FILE else foreign.get("url_type"),
    }
    if data is None and "last_modified" in foreign:
        resource["last_modified"] = foreign["last_modified"]
    for key in _AS_IT_CAME:
        if key in foreign and _plain(foreign[key]) == _plain(resource[key]):
            resource[key] = foreign[key]
    return resource | {key: value for key, value in foreign.items() if key not in resource}


def _plain(value: Any) -> str:
    return str(value or "").strip()


def _format(distribution: Distribution) -> str:
    """Return the format's name; the text that came while it still names the same format."""
    came = distribution.foreign.get("format")
    if isinstance(came, str) and format_code(came) == distribution.format:
        return came
    return format_label(distribution.format)


def _address(distribution: Distribution) -> str:
    if distribution.kind == FILE:
        return SITE + resource_path(distribution)
    if distribution.kind == LINK:
        # An address that no page may link to (another scheme, none at all) is given back as data.
        return distribution.url or str(distribution.foreign.get("url") or "")
    return SITE + distribution.url if distribution.url.startswith("/") else distribution.url


def resource_path(distribution: Distribution) -> str:
    """Return the download path of this portal, with the file name quoted as addresses need it."""
    data = distribution.current_version
    filename = quote(data.filename if data else "file")
    return (
        f"/dataset/{distribution.entry.slug}/resource/{distribution.public_id}/download/{filename}"
    )
