"""GeoJSON features as records: their properties, the geometry as text, and of points the place."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from portal.tables.json_text import written

GEOMETRY = "geometry"
LONGITUDE, LATITUDE = "经度", "纬度"
GEOMETRIES = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}
    | {"GeometryCollection"}
)
_PLACE = re.compile(r"经度|纬度|lng|lon|lat|longitude|latitude|x|y", re.I)  # said already
_SYSTEMS = (  # words of a crs member: the system
    (re.compile(r"4490|CGCS2000", re.I), "cgcs2000"),
    (re.compile(r"GCJ-?02", re.I), "gcj02"),
    (re.compile(r"BD-?09", re.I), "bd09"),
    (re.compile(r"4326|CRS84|WGS-?84", re.I), "wgs84"),
)


def features_of(value: Any) -> list[Any] | None:
    """Return the features of a collection, of a single feature or of a bare geometry; else None."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "FeatureCollection" and isinstance(value.get("features"), list):
        found: list[Any] = value["features"]
        return found
    if kind == "Feature" and "geometry" in value:
        return [value]
    if kind in GEOMETRIES and ("coordinates" in value or "geometries" in value):
        return [{"type": "Feature", "geometry": value}]
    return None


def is_topology(value: Any) -> bool:
    """Whether this is TopoJSON, whose shapes share their borders."""
    return isinstance(value, dict) and value.get("type") == "Topology" and "arcs" in value


def named_system(collection: Mapping[str, Any]) -> str:
    """Return the coordinate system that the file names; GeoJSON without a name is WGS 84."""
    words = json.dumps(collection.get("crs") or "", ensure_ascii=False)
    return next((name for pattern, name in _SYSTEMS if pattern.search(words)), "wgs84")


def feature_record(feature: Any) -> dict[str, Any]:
    """Return one feature as a record, empty for what is none; numbers as the file wrote them."""
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
        record[GEOMETRY] = written(geometry)
    return record
