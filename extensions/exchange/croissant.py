"""A public package with tables as Croissant 1.0, which tools of machine learning read. Pure.

Source: https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from extensions.exchange.reading import (
    Package,
    extras_of,
    instant,
    keywords_of,
    modified_of,
    page_of,
    resources_of,
)
from portal.tables.column_types import ColumnType
from portal.tables.info import Column, TableInfo

SPECIFICATION = "http://mlcommons.org/croissant/1.0"
CONTEXT: dict[str, Any] = {
    "@language": "zh-Hans", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs",
    "column": "cr:column", "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/", "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract", "field": "cr:field", "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject", "fileSet": "cr:fileSet", "format": "cr:format",
    "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath",
    "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/", "recordSet": "cr:recordSet",
    "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
    "replace": "cr:replace", "sc": "https://schema.org/", "separator": "cr:separator",
    "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip
_TYPES = {
    ColumnType.TEXT: "sc:Text",
    ColumnType.INTEGER: "sc:Integer",
    ColumnType.NUMBER: "sc:Float",
    ColumnType.DATE: "sc:Date",
    ColumnType.DATETIME: "sc:DateTime",
}
_UNSAFE = re.compile(r"[^\w.-]+")


def croissant_of(
    package: Package, tables: Mapping[str, TableInfo], site_url: str
) -> dict[str, Any]:
    """Return the document.

    Args:
        tables: resource id -> its open table, of those files alone whose original is open.
    """
    extras, issued = extras_of(package), instant(package.get("metadata_created"))
    organisation = package.get("organization") or {}
    modified = modified_of(package)
    files = [_file(*one) for one in resources_of(package) if str(one[0]["id"]) in tables]
    records = [
        found
        for resource, code, _ in resources_of(package)
        if (info := tables.get(str(resource["id"]))) is not None
        and (found := _record_set(resource, code, info)) is not None
    ]
    document: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": SPECIFICATION,
        "name": _UNSAFE.sub("-", str(package["name"])),
        "alternateName": package["title"],
        "description": package.get("notes") or package["title"],
        "url": page_of(package, site_url),
        "license": package.get("license_url") or package.get("license_title") or "",
        "creator": {"@type": "sc:Organization", "name": organisation.get("title") or ""},
        "publisher": {"@type": "sc:Organization", "name": organisation.get("title") or ""},
        "keywords": keywords_of(package),
        "inLanguage": "zh-Hans",
        "version": f"{extras.get('jl_version') or '1'}.0.0",
        "datePublished": issued.date().isoformat() if issued else "",
        "dateModified": modified.date().isoformat() if modified else "",
        "distribution": files,
        "recordSet": records,
    }
    return {key: value for key, value in document.items() if value not in ("", [], None)}


def _file(resource: Mapping[str, Any], _code: str, media: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": f"file-{resource['id']}",
        "name": f"file-{resource['id']}",
        "description": resource.get("name") or "",
        "contentUrl": resource["url"],
        "contentSize": f"{resource.get('size') or 0} B",
        "encodingFormat": media or "application/octet-stream",
        "sha256": resource["hash"],
    }


def _record_set(resource: Mapping[str, Any], code: str, info: TableInfo) -> dict[str, Any] | None:
    """Return how rows come out of a file; None where a reader could not follow.

    CSV must be UTF-8 with commas and its names in the first row: that is all that readers know.
    """
    is_plain = info.encoding in ("utf-8", "utf-8-sig") and info.header_rows == (1,)
    if code != "jsonl" and not (code == "csv" and is_plain and info.delimiter == ","):
        return None
    name = f"rows-{resource['id']}"
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": resource.get("name") or "",
        "field": [_field(column, name, resource) for column in info.columns],
    }


def _field(column: Column, record_set: str, resource: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{column.field_name}",
        "name": f"{record_set}/{column.field_name}",
        "description": column.name,
        "dataType": _TYPES[column.type],
        "source": {
            "fileObject": {"@id": f"file-{resource['id']}"},
            "extract": {"column": column.name},
        },
    }
