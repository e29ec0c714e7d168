"""The data set in schema.org words (JSON-LD), as search engines for data read it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from portal.clock import local_date
from portal.codes import code_list
from portal.models.distribution import FILE
from portal.services.entry_view import EntryView, FileView

DESCRIPTION_MAX = 5000


def dataset_json_ld(view: EntryView, site_url: str, platform_name: str) -> dict[str, Any]:
    """Return a schema.org Dataset; `site_url` without a slash at its end."""
    content = view.content
    address = f"{site_url}/dataset/{quote(view.slug)}"
    licence = code_list("licences").find(content.licence)
    data: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": address,
        "url": address,
        "name": content.title,
        "alternateName": content.title_en,
        "description": (content.abstract or content.title)[:DESCRIPTION_MAX],
        "identifier": view.code,
        "keywords": list(content.keywords),
        "version": str(view.version_number),
        "inLanguage": "zh-Hans",
        "isAccessibleForFree": True,
        "license": licence["url"] if licence else "",
        "creator": _organisation(
            view.provider.name, f"{site_url}/organisation/{view.provider.slug}"
        ),
        "includedInDataCatalog": {"@type": "DataCatalog", "name": platform_name, "url": site_url},
        "datePublished": local_date(view.issued_at).isoformat() if view.issued_at else "",
        "dateModified": local_date(view.modified_at).isoformat(),
        "temporalCoverage": _period(view),
        "spatialCoverage": _place(content.region or view.provider.region_code),
        "variableMeasured": [item.name for item in content.items],
        "distribution": [_download(view, f, address) for f in view.files if f.kind == FILE],
    }
    return {key: value for key, value in data.items() if value not in ("", [], None)}


def _organisation(name: str, url: str) -> dict[str, str]:
    return {"@type": "GovernmentOrganization", "name": name, "url": url}


def _period(view: EntryView) -> str:
    start, end = view.content.temporal_start, view.content.temporal_end
    if not start and not end:
        return ""
    return f"{start.isoformat() if start else '..'}/{end.isoformat() if end else '..'}"


def _place(region: str) -> dict[str, str] | None:
    found = code_list("regions").find(region)
    return {"@type": "Place", "name": found.name} if found else None


def _download(view: EntryView, file: FileView, address: str) -> dict[str, Any]:
    current = file.current
    found: dict[str, Any] = {
        "@type": "DataDownload",
        "name": file.name,
        "encodingFormat": file.media_type or file.format,
    }
    if current is not None:
        found["contentSize"] = f"{current.size_bytes} B"
        found["sha256"] = current.sha256
        if view.content.open_type == "unconditional":
            path = f"/resource/{quote(file.public_id)}/download/{quote(current.filename, safe='')}"
            found["contentUrl"] = address + path
    return found
