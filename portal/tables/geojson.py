"""GeoJSON features as records: their properties, the geometry as text, and of points the place."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

GEOMETRY = "geometry"
LONGITUDE, LATITUDE = "经度", "纬度"
_PLACE = re.compile(r"经度|纬度|lng|lon|lat|longitude|latitude|x|y", re.I)  # said already
_SYSTEMS = (  # words of a crs member: the system
    (re.compile(r"4490|CGCS2000", re.I), "cgcs2000"),
    (re.compile(r"GCJ-?02", re.I), "gcj02"),
    (re.compile(r"BD-?09", re.I), "bd09"),
    (re.compile(r"4326|CRS84|WGS-?84", re.I), "wgs84"),
)


def is_collection(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("type") == "FeatureCollection"
        and isinstance(value.get("features"), list)
    )


def named_system(collection: Mapping[str, Any]) -> str:
    """Return the coordinate system that the file names; GeoJSON without a name is WGS 84."""
    words = json.dumps(collection.get("crs") or "", ensure_ascii=False)
    return next((name for pattern, name in _SYSTEMS if pattern.search(words)), "wgs84")


def feature_record(feature: Any) -> dict[str, Any]:
    """Return one feature as a record. Numbers are texts, as the file wrote them."""
    if not isinstance(feature, dict):
        return {}
    properties = feature.get("properties")
    record = dict(properties) if isinstance(properties, dict) else {}
    if feature.get("id") is not None and "id" not in record:
        record = {"id": feature["id"], **record}
    geometry = feature.get("geometry")
    if isinstance(geometry, dict):
        at = geometry.get("coordinates")
        said = any(_PLACE.fullmatch(name) for name in record)
        if geometry.get("type") == "Point" and isinstance(at, list) and len(at) >= 2 and not said:
            record.setdefault(LONGITUDE, at[0])
            record.setdefault(LATITUDE, at[1])
        record[GEOMETRY] = geometry_text(geometry)
    return record


def geometry_text(value: Any) -> str:
    """Write a parsed geometry back; its numbers are texts that were numbers."""
    if isinstance(value, dict):
        inner = ",".join(
            f"{json.dumps(name, ensure_ascii=False)}:{_value(name, one)}"
            for name, one in value.items()
        )
        return "{" + inner + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(geometry_text, value)) + "]"
    return str(value) if value is not None else "null"


def _value(name: str, one: Any) -> str:
    if name in ("coordinates", "geometries"):
        return geometry_text(one)
    return json.dumps(one, ensure_ascii=False)
