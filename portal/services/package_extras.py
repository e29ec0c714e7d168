"""The `extras` of a package: those that repeat fields, those that the portal computes, and those
that a foreign record brought.

Keys known to ckanext-dcat keep their names, ours begin with `jl_` (domain/catalogue-fields.md,
section 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from harvesters.ckan.extras import read_extra
from portal.clock import SHANGHAI, local_date
from portal.codes import code_list
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.rules.entry_content import EntryContent
from portal.services.code_book import code_book
from portal.services.content import content_json
from portal.services.entry_facts import EntryFacts

ACCESS_RIGHTS = {"unconditional": "PUBLIC", "conditional": "RESTRICTED", "none": "NON_PUBLIC"}
AUTHORITY = "http://publications.europa.eu/resource/authority/"

PUBLIC_FIELDS = (
    "title_en", "resource_class", "base_library", "region", "share_type", "open_type",
    "open_condition", "open_condition_ground", "closed_ground", "acquisition_method",
    "source_system", "update_frequency", "pooling_state", "verified_at", "related_service_items",
    "contact_phone",
)  # fmt: skip
"""Fields that go out under their own name with `jl_` before it."""

INTERNAL_FIELDS = (
    "share_condition", "share_mode", "share_basis", "closed_basis", "security_level",
    "collection_basis", "format", "duplicate_reason",
)  # fmt: skip
"""Fields that officials alone see; an answer without them never clears them."""

COMPUTED = frozenset(
    {
        "jl_code", "jl_open_state", "jl_metadata_profile", "jl_version", "jl_value_score",
        "jl_value_reasons", "jl_high_value", "jl_provider", "jl_responsible_dept", "jl_quality",
        "jl_series",
    }
)  # fmt: skip
"""Keys that the portal alone says."""

KEPT = frozenset({"identifier", "publisher_name", "issued", "language"})
"""Keys of which a foreign record's own text goes out, whatever ours would be."""


def content_extras(content: EntryContent, *, internal: bool = False) -> dict[str, str]:
    """Return what fields say as extras; empty values are left out."""
    frequency = code_list("update_frequency").find(content.update_frequency)
    right = ACCESS_RIGHTS.get(content.open_type)
    names = (*PUBLIC_FIELDS, *INTERNAL_FIELDS) if internal else PUBLIC_FIELDS
    plain = content_json(content)
    values: dict[str, Any] = {
        "frequency": frequency["dcat_frequency"] if frequency else content.update_frequency,
        "theme": [t for t in (content.theme, *content.more_themes) if t],
        "spatial_uri": content.region,
        "temporal_start": content.temporal_start,
        "temporal_end": content.temporal_end,
        "publisher_identifier": content.provider_uscc,
        "contact_name": content.contact_name,
        "contact_email": content.contact_email,
        "access_rights": f"{AUTHORITY}access-right/{right}" if right else "",
        "language": "zh",
        "related_resource": list(content.related_codes),
        "jl_items": plain.get("items", []),
        **{f"jl_{name}": plain.get(name) for name in names},
    }
    return {key: text for key, raw in values.items() if (text := extra_text(raw)) != ""}


def _computed(
    entry: CatalogueEntry, version: EntryVersion, content: EntryContent, facts: EntryFacts
) -> dict[str, str]:
    reasons = [r for r in entry.value.get("reasons", []) if r["points"] > 0]
    place = facts.place
    values: dict[str, Any] = {
        "identifier": entry.code,
        "issued": _local(entry.issued_at) if entry.issued_at else "",
        "modified": _local(entry.data_modified_at) if entry.data_modified_at else "",
        "publisher_name": entry.provider.name,
        "publisher_identifier": content.provider_uscc or entry.provider.uscc,
        "jl_responsible_dept": entry.responsible_dept.code,
        "jl_provider": entry.provider.code,
        "jl_open_state": place.state if place else "",
        "jl_metadata_profile": entry.metadata_profile,
        "jl_version": version.number,
        "jl_value_score": entry.value_score if entry.is_public else "",
        "jl_value_reasons": [r["zh"] for r in reasons[:3]] if entry.is_public else [],
        "jl_high_value": entry.value_badge if entry.is_public else "",
    }
    return {key: text for key, raw in values.items() if (text := extra_text(raw)) != ""}


def package_extras(
    entry: CatalogueEntry,
    version: EntryVersion,
    content: EntryContent,
    facts: EntryFacts,
    *,
    internal: bool = False,
) -> list[dict[str, Any]]:
    """Return the extras of a package, sorted by key, with those of extensions."""
    ours: dict[str, Any] = content_extras(content, internal=internal)
    ours |= _computed(entry, version, content, facts)
    ours |= {key: text for key, value in facts.extras.items() if (text := extra_text(value)) != ""}
    came: list[Mapping[str, Any]] = content.foreign.get("extras", [])
    for extra in came:
        key = str(extra.get("key"))
        if key not in ours or _still_says(key, extra.get("value"), content, entry):
            ours[key] = extra.get("value")
    if ours["identifier"] != entry.code:
        ours["jl_code"] = entry.code
    fuller = {str(e.get("key")): e for e in came if set(e) - {"key", "value"}}
    listed = [{**fuller.get(key, {}), "key": key, "value": value} for key, value in ours.items()]
    return sorted(listed, key=lambda extra: str(extra["key"]))


def _still_says(key: str, value: Any, content: EntryContent, entry: CatalogueEntry) -> bool:
    """Say whether a foreign text goes out in the place of ours: while it means what the field says."""
    if key in KEPT:
        return True
    if key in COMPUTED:
        return False
    found = read_extra(key, value, code_book())
    if found is None:
        return True
    field, meant = found[0], found[1]
    if field == "data_modified":
        return bool(meant == entry.data_modified_at)
    if field == "issued":
        return bool(entry.issued_at and meant == local_date(entry.issued_at))
    return bool(meant == getattr(content, field, None))


def _local(instant: datetime) -> str:
    return instant.astimezone(SHANGHAI).isoformat(timespec="seconds")


def extra_text(value: Any) -> str:
    """Return an extra's value as text: lists and objects as sorted JSON, booleans lower-case."""
    if value is None or value == "" or value == [] or value == ():
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | dict):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    return str(value)
