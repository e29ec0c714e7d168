"""Which columns of a table say where things are, and the places for a map."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.tables.column_types import ColumnType
from portal.tables.coordinates import to_wgs84
from portal.tables.geojson import GEOMETRY
from portal.tables.groups import NUMBERS
from portal.tables.info import Column, TableInfo

POINTS, SHAPES, REGIONS = "points", "shapes", "regions"
MAX_POINTS = 5_000
MAX_SHAPES = 1_000
MAX_SHAPE_CHARACTERS = 3_000_000  # of all geometries on one map together
_LONGITUDE = re.compile(
    r"经度|經度|^(lng|lon|long|longitude|x|x坐标|x坐標|东经)$|longit|(_|\b)(lng|lon)$", re.I
)
_LATITUDE = re.compile(r"纬度|緯度|^(lat|latitude|y|y坐标|y坐標|北纬)$|latit|(_|\b)lat$", re.I)
_REGION = re.compile(
    r"区划代码|區劃代碼|行政区划|(县|区|市|州|地区|区域|地域)[）)]?代码"
    r"|(region|county|city|area|district|ad|adm|division)_?code",
    re.I,
)
_PROVINCE = "22"  # of Jilin, at the head of its division codes


@dataclass(frozen=True)
class Places:
    """`columns`: longitude and latitude, or the one of geometries or region codes."""

    kind: str
    columns: tuple[Column, ...]


def find_places(info: TableInfo) -> Places | None:
    """Return how the table can be put on a map; points before shapes, regions last."""
    points = _point_columns(info)
    if points:
        return Places(POINTS, points)
    for column in info.columns:
        if column.name == GEOMETRY and (column.minimum or "").startswith('{"'):
            return Places(SHAPES, (column,))
    for column in info.columns:
        if _REGION.search(column.name) and _is_region(column):
            return Places(REGIONS, (column,))
    return None


def _point_columns(info: TableInfo) -> tuple[Column, Column] | None:
    longitude = next((c for c in info.columns if _fits(c, _LONGITUDE, 70, 140)), None)
    latitude = next((c for c in info.columns if _fits(c, _LATITUDE, 0, 56)), None)
    return (longitude, latitude) if longitude and latitude else None


def _fits(column: Column, pattern: re.Pattern[str], low: float, high: float) -> bool:
    """Whether the name says so and the values lie in and around China (0 counts as unknown)."""
    if column.type not in NUMBERS or not pattern.search(column.name) or column.minimum is None:
        return False
    least, most = float(column.minimum), float(column.maximum or column.minimum)
    return (least == 0 or low <= least) and low < most <= high


def _is_region(column: Column) -> bool:
    if column.type is not ColumnType.TEXT:
        return False
    ends = (column.minimum or "", column.maximum or "")
    return all(text.isdigit() and len(text) >= 4 and text.startswith(_PROVINCE) for text in ends)


def point_list(
    rows: Sequence[Mapping[str, Any]], places: Places, system: str, label: str
) -> list[Any]:
    """Return [longitude, latitude, label] in WGS 84 of every row that has a place."""
    longitude, latitude = (column.field_name for column in places.columns)
    found = []
    for row in rows:
        x, y = row[longitude], row[latitude]
        if x and y:
            at = to_wgs84(float(x), float(y), system)
            text = row.get(label) if label else None
            found.append([round(at[0], 6), round(at[1], 6), "" if text is None else str(text)])
    return found


def feature_collection(
    rows: Sequence[Mapping[str, Any]], places: Places, system: str, label: str
) -> dict[str, Any]:
    """Return the geometries as GeoJSON in WGS 84; those that are broken are left out."""
    name = places.columns[0].field_name
    features = []
    length = 0
    for number, row in enumerate(rows, start=1):
        text = row[name] or ""
        length += len(text)
        geometry = _geometry(text, system) if length <= MAX_SHAPE_CHARACTERS else None
        if geometry is not None:
            title = str(row.get(label) or number)
            features.append(
                {"type": "Feature", "properties": {"name": title}, "geometry": geometry}
            )
    return {"type": "FeatureCollection", "features": features}


def _geometry(text: str, system: str) -> dict[str, Any] | None:
    try:
        geometry = json.loads(text)
        coordinates = _converted(geometry["coordinates"], system)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None
    return {"type": str(geometry.get("type", "")), "coordinates": coordinates}


def _converted(value: Any, system: str) -> Any:
    if value and isinstance(value[0], int | float):
        at = to_wgs84(float(value[0]), float(value[1]), system)
        return [round(at[0], 6), round(at[1], 6)]
    return [_converted(one, system) for one in value]


def label_column(info: TableInfo, places: Places) -> str:
    """Return the field name of the column that names a row: 名称 before the first text."""
    texts = [c for c in info.columns if c.type is ColumnType.TEXT and c not in places.columns]
    named = [c for c in texts if re.search(r"名|name|title", c.name, re.I)]
    return (named or texts)[0].field_name if texts else ""
