"""A public package as a data set of Project Open Data's `data.json` (DCAT-US 1.1). Pure."""

from __future__ import annotations

from typing import Any

from extensions.exchange.reading import (
    Package,
    extras_of,
    instant,
    keywords_of,
    modified_of,
    page_of,
    resources_of,
    themes_of,
)
from portal.codes import code_list

_LEVELS = {"unconditional": "public", "conditional": "restricted public", "none": "non-public"}
HEAD = {
    "@context": "https://project-open-data.cio.gov/v1.1/schema/catalog.jsonld",
    "@type": "dcat:Catalog",
    "conformsTo": "https://project-open-data.cio.gov/v1.1/schema",
    "describedBy": "https://project-open-data.cio.gov/v1.1/schema/catalog.json",
}


def dataset_of(package: Package, site_url: str) -> dict[str, Any]:
    extras = extras_of(package)
    page = page_of(package, site_url)
    organisation = package.get("organization") or {}
    modified, issued = modified_of(package), instant(extras.get("issued"))
    themes = code_list("themes")
    found: dict[str, Any] = {
        "@type": "dcat:Dataset",
        "identifier": extras.get("jl_code") or extras.get("identifier") or package["id"],
        "title": package["title"],
        "description": package.get("notes") or package["title"],
        "keyword": keywords_of(package) or [package["title"]],
        "modified": modified.isoformat() if modified else "",
        "issued": issued.isoformat() if issued else "",
        "publisher": {"@type": "org:Organization", "name": organisation.get("title") or ""},
        "contactPoint": _contact(extras, organisation, site_url),
        "accessLevel": _LEVELS.get(extras.get("jl_open_type", ""), "non-public"),
        "rights": extras.get("jl_open_condition", ""),
        "license": package.get("license_url") or "",
        "accrualPeriodicity": _frequency(extras),
        "temporal": _period(extras),
        "spatial": _place(extras),
        "theme": [themes[code].name for code in themes_of(package)],
        "landingPage": page,
        "language": ["zh-Hans"],
        "distribution": [_file(*one) for one in resources_of(package)],
    }
    return {key: value for key, value in found.items() if value not in ("", [], None)}


def _contact(extras: dict[str, str], organisation: Any, site_url: str) -> dict[str, str]:
    name = extras.get("contact_name") or organisation.get("title") or "—"
    contact = {"@type": "vcard:Contact", "fn": name}
    if "@" in extras.get("contact_email", ""):
        contact["hasEmail"] = f"mailto:{extras['contact_email']}"
    return contact


def _frequency(extras: dict[str, str]) -> str:
    frequency = code_list("update_frequency").find(extras.get("jl_update_frequency", ""))
    if frequency is None or not frequency["iso8601_duration"]:
        return ""
    duration = frequency["iso8601_duration"]
    return "R/PT1S" if duration == "PT0S" else f"R/{duration}"


def _period(extras: dict[str, str]) -> str:
    start, end = extras.get("temporal_start", ""), extras.get("temporal_end", "")
    return f"{start}/{end}" if start and end else ""


def _place(extras: dict[str, str]) -> str:
    region = code_list("regions").find(extras.get("jl_region", ""))
    return region.name if region else ""


def _file(resource: Any, code: str, media: str) -> dict[str, Any]:
    url = str(resource.get("url") or "")
    found: dict[str, Any] = {
        "@type": "dcat:Distribution",
        "title": resource.get("name") or "",
        "description": resource.get("description") or "",
        "format": resource.get("format") or "",
    }
    if resource.get("url_type") == "upload":
        found |= {"downloadURL": url, "mediaType": media or "application/octet-stream"}
    else:
        found["accessURL"] = url
    return {key: value for key, value in found.items() if value}
