"""What every output asks of a package, read once. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson

from portal.codes import code_list
from portal.services.code_book import format_code

Package = Mapping[str, Any]


def extras_of(package: Package) -> dict[str, str]:
    return {str(e["key"]): str(e["value"]) for e in package.get("extras", []) if "key" in e}


def listed(text: str) -> list[Any]:
    """Return the JSON list of an extra; nothing for anything else."""
    try:
        found = orjson.loads(text)
    except ValueError:
        return []
    return found if isinstance(found, list) else []


def themes_of(package: Package) -> list[str]:
    """Return the codes of our themes that a package stands under."""
    known = code_list("themes")
    return [g["name"] for g in package.get("groups", []) if g.get("name") in known]


def keywords_of(package: Package) -> list[str]:
    return [tag["name"] for tag in package.get("tags", []) if tag.get("name")]


def instant(text: Any) -> datetime | None:
    """Return an instant of a package, which CKAN writes as UTC without saying so."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def modified_of(package: Package) -> datetime | None:
    """Return when the data changed, or else what is said of it."""
    return instant(extras_of(package).get("modified")) or instant(package["metadata_modified"])


def resources_of(package: Package) -> Iterator[tuple[Mapping[str, Any], str, str]]:
    """Yield (resource, our code of its format or "", media type or "")."""
    formats = code_list("formats")
    for resource in package.get("resources", []):
        code = format_code(str(resource.get("format") or ""))
        known = formats.find(code)
        media = resource.get("mimetype") or (known["media_type"] if known else "")
        yield resource, code if known else "", str(media or "")


def page_of(package: Package, site_url: str) -> str:
    return f"{site_url}/dataset/{package['name']}"


def series_in(extras: Mapping[str, str]) -> Mapping[str, Any] | None:
    """Return {id, title, cut_by, label, previous, next} of the series a package stands in."""
    try:
        found = orjson.loads(extras.get("jl_series", ""))
    except ValueError:
        return None
    texts = isinstance(found, dict) and all(isinstance(found.get(k), str) for k in ("id", "title"))
    return found if texts else None


def series_page(series_id: str, site_url: str) -> str:
    return f"{site_url}/series/{quote(series_id, safe='')}"
