"""The entry as a CKAN package: what the Action API hands out, ready as bytes.

Names on the wire are CKAN's. Keys known to ckanext-dcat keep their names, ours begin with `jl_`;
unknown keys of foreign records are given back as they came, so that export(import(x)) loses
nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.codes import code_list
from portal.models.distribution import FILE, Distribution, list_distributions
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.index_request import EntryDocument
from portal.models.open_list import find_open_list_entry
from portal.models.organisation import Organisation
from portal.rules.entry_content import EntryContent
from portal.services.content import content_json, content_of
from portal.services.search_document import findable_version

SHANGHAI = ZoneInfo("Asia/Shanghai")
ACCESS_RIGHTS = {"unconditional": "PUBLIC", "conditional": "RESTRICTED", "none": "NON_PUBLIC"}
AUTHORITY = "http://publications.europa.eu/resource/authority/"


def package_bytes(session: Session, entry: CatalogueEntry) -> bytes:
    """Return the kept document if it is of the entry's current version, else a fresh one."""
    kept = session.execute(
        select(EntryDocument.version, EntryDocument.package).where(
            EntryDocument.entry_id == entry.id
        )
    ).first()
    if kept is not None and kept.version == entry.index_version:
        return bytes(kept.package)
    return render_package(session, entry)


def render_package(
    session: Session, entry: CatalogueEntry, version: EntryVersion | None = None
) -> bytes:
    return orjson.dumps(package_dict(session, entry, version))


def package_dict(
    session: Session, entry: CatalogueEntry, version: EntryVersion | None = None
) -> dict[str, Any]:
    """Return the package of a version; of the one that search shows when none is given."""
    version = version or findable_version(session, entry) or entry.published_version
    if version is None:
        raise LookupError(f"entry {entry.code} has no version to show")
    content = content_of(version)
    resources = [resource_dict(d, content) for d in list_distributions(session, entry.id)]
    return {
        **_foreign_top(content),
        **_core(entry, version, content),
        "extras": _extras(session, entry, version, content),
        "groups": [_group(code) for code in (content.theme, *content.more_themes) if code],
        "num_resources": len(resources),
        "num_tags": len(content.keywords),
        "organization": _organization(entry.provider),
        "resources": resources,
        "tags": [_tag(word) for word in content.keywords],
        "relationships_as_subject": [],
        "relationships_as_object": [],
    }


def _foreign_top(content: EntryContent) -> dict[str, Any]:
    """Return unknown top-level keys of the record as they came."""
    top = content.foreign.get("package", {})
    return dict(top) if isinstance(top, dict) else {}


def _core(entry: CatalogueEntry, version: EntryVersion, content: EntryContent) -> dict[str, Any]:
    licence = code_list("licences").find(content.licence)
    foreign = _foreign_top(content)
    core: dict[str, Any] = {
        "author": foreign.get("author"),
        "author_email": foreign.get("author_email"),
        "creator_user_id": None,
        "id": entry.public_id,
        "isopen": licence.is_yes("is_open") if licence else foreign.get("isopen", False),
        "license_id": content.licence or foreign.get("license_id"),
        "license_title": licence.name if licence else foreign.get("license_title"),
        "maintainer": content.contact_name or foreign.get("maintainer"),
        "maintainer_email": content.contact_email or foreign.get("maintainer_email"),
        "metadata_created": naive_utc(entry.created_at),
        "metadata_modified": naive_utc(entry.metadata_modified_at),
        "name": entry.slug,
        "notes": content.abstract,
        "owner_org": entry.provider.public_id,
        "private": not entry.is_public,
        "state": "deleted" if entry.retired_at else "active" if entry.is_public else "draft",
        "title": content.title,
        "type": "dataset",
        "url": foreign.get("url"),
        "version": foreign.get("version") or str(version.number),
    }
    if licence is not None and licence["url"]:
        core["license_url"] = licence["url"]
    return core


def naive_utc(instant: datetime) -> str:
    """Return the instant as CKAN writes it: naive UTC with microseconds."""
    return instant.replace(tzinfo=None).isoformat(timespec="microseconds")


def _local(instant: datetime) -> str:
    return instant.astimezone(SHANGHAI).isoformat(timespec="seconds")


def _extras(
    session: Session, entry: CatalogueEntry, version: EntryVersion, content: EntryContent
) -> list[dict[str, str]]:
    frequency = code_list("update_frequency").find(content.update_frequency)
    place = find_open_list_entry(session, entry.id)
    reasons = [r for r in entry.value.get("reasons", []) if r["points"] > 0]
    values: dict[str, Any] = {
        "identifier": entry.code,
        "issued": _local(entry.issued_at) if entry.issued_at else "",
        "modified": _local(entry.data_modified_at) if entry.data_modified_at else "",
        "frequency": frequency["dcat_frequency"] if frequency else content.update_frequency,
        "theme": [t for t in (content.theme, *content.more_themes) if t],
        "spatial_uri": content.region,
        "temporal_start": content.temporal_start,
        "temporal_end": content.temporal_end,
        "publisher_name": entry.provider.name,
        "publisher_identifier": content.provider_uscc or entry.provider.uscc,
        "contact_name": content.contact_name,
        "contact_email": content.contact_email,
        "access_rights": _access_rights(content.open_type),
        "language": "zh",
        "related_resource": list(content.related_codes),
        "jl_items": content_json(content).get("items", []),
        "jl_responsible_dept": entry.responsible_dept.code,
        "jl_provider": entry.provider.code,
        "jl_open_state": place.state if place else "",
        "jl_metadata_profile": entry.metadata_profile,
        "jl_version": version.number,
        "jl_value_score": entry.value_score if entry.is_public else "",
        "jl_value_reasons": [r["zh"] for r in reasons[:3]] if entry.is_public else [],
        "jl_high_value": entry.value_badge if entry.is_public else "",
        **{f"jl_{name}": getattr(content, name) for name in JL_FIELDS},
    }
    ours = [{"key": k, "value": v} for k, raw in values.items() if (v := extra_text(raw)) != ""]
    known = {extra["key"] for extra in ours}
    foreign = [e for e in content.foreign.get("extras", []) if e.get("key") not in known]
    return sorted([*ours, *foreign], key=lambda extra: str(extra["key"]))


JL_FIELDS = (
    "title_en",
    "resource_class",
    "base_library",
    "region",
    "share_type",
    "open_type",
    "open_condition",
    "open_condition_ground",
    "closed_ground",
    "acquisition_method",
    "source_system",
    "update_frequency",
    "pooling_state",
    "verified_at",
    "related_service_items",
    "contact_phone",
)
"""Fields that go out under their own name with `jl_` before it. Sharing conditions stay inside."""


def _access_rights(open_type: str) -> str:
    right = ACCESS_RIGHTS.get(open_type)
    return f"{AUTHORITY}access-right/{right}" if right else ""


def extra_text(value: Any) -> str:
    """Return an extra's value as text: lists and objects as sorted JSON, booleans lower-case."""
    if value is None or value == "" or value == [] or value == ():
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | dict):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    return str(value)


def _group(code: str) -> dict[str, Any]:
    theme = code_list("themes").find(code)
    title = theme.name if theme else code
    return {
        "description": theme.name_en if theme else "",
        "display_name": title,
        "id": code,
        "image_display_url": "",
        "name": code,
        "title": title,
    }


def _tag(word: str) -> dict[str, Any]:
    return {
        "display_name": word,
        "id": word,
        "name": word,
        "state": "active",
        "vocabulary_id": None,
    }


def _organization(organisation: Organisation) -> dict[str, Any]:
    return {
        "id": organisation.public_id,
        "name": organisation.slug,
        "title": organisation.name,
        "type": "organization",
        "description": organisation.description,
        "image_url": "",
        "created": naive_utc(organisation.created_at),
        "is_organization": True,
        "approval_status": "approved",
        "state": "active",
    }


def resource_dict(distribution: Distribution, content: EntryContent) -> dict[str, Any]:
    """Return a distribution as CKAN's resource. Unknown keys of foreign ones come back as they came."""
    data = distribution.current_version
    entry = distribution.entry
    is_file = distribution.kind == FILE
    known = code_list("formats").find(distribution.format)
    resource: dict[str, Any] = {
        **distribution.foreign,
        "cache_last_updated": None,
        "cache_url": None,
        "created": naive_utc(distribution.created_at),
        "datastore_active": bool(data and data.table_state == "ready"),
        "description": distribution.description,
        "format": known.name if known else distribution.format,
        "hash": data.sha256 if data else distribution.foreign.get("hash", ""),
        "id": distribution.public_id,
        "last_modified": naive_utc(data.created_at if data else distribution.modified_at),
        "metadata_modified": naive_utc(distribution.modified_at),
        "mimetype": distribution.media_type or None,
        "mimetype_inner": None,
        "name": distribution.name,
        "package_id": entry.public_id,
        "position": distribution.position,
        "resource_type": distribution.foreign.get("resource_type"),
        "size": data.size_bytes if data else distribution.foreign.get("size"),
        "state": "active",
        "url": resource_path(distribution) if is_file else distribution.url,
        "url_type": "upload" if is_file else None,
    }
    return resource


def resource_path(distribution: Distribution) -> str:
    """Return the download path; the site's address is put before it where it goes out."""
    data = distribution.current_version
    filename = data.filename if data else "file"
    return (
        f"/dataset/{distribution.entry.slug}/resource/{distribution.public_id}/download/{filename}"
    )
