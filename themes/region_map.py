"""The map of the province: shapes of its cities from the npm package echarts 4.9.0 (Apache-2.0).

Used by `themes.build`. The source is a schematic drawing of before 2020 (Gongzhuling still lies in
Siping); pages say so. Codes are those of the code list `regions`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from math import cos, radians
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

SCALE = 1024  # of the source's integers, a degree
WIDTH, HEIGHT = 400, 313  # of the drawing
WEST, NORTH, EAST, MIDDLE = 121.55, 46.4, 131.4, 43.5  # degrees
UNIT = WIDTH / ((EAST - WEST) * cos(radians(MIDDLE)))

Point = tuple[float, float]


def make_map(source: Path) -> bytes:
    """Return an SVG with a symbol for each city, named by its code; its lines meet without gaps."""
    features = json.loads(source.read_text("utf-8"))["features"]
    symbols = "".join(
        f'<symbol id={quoteattr("c" + feature["id"])} viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<path d="{_path(feature)}"/></symbol>\n'
        for feature in sorted(features, key=lambda one: str(one["id"]))
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}</svg>\n'.encode()


def rings(feature: dict[str, Any]) -> Iterator[list[Point]]:
    """Yield the rings of a feature as (longitude, latitude)."""
    geometry = feature["geometry"]
    parts, offsets = geometry["coordinates"], geometry["encodeOffsets"]
    if geometry["type"] == "Polygon":
        parts, offsets = [parts], [offsets]
    for polygon, starts in zip(parts, offsets, strict=True):
        for text, start in zip(polygon, starts, strict=True):
            yield list(_decoded(text, start))


def _decoded(text: str, start: list[int]) -> Iterator[Point]:
    """Undo ECharts' encoding: zigzag differences of 1/1024 degree, one character each."""
    x, y = start
    for n in range(0, len(text) - 1, 2):
        x += _signed(ord(text[n]) - 64)
        y += _signed(ord(text[n + 1]) - 64)
        yield x / SCALE, y / SCALE


def _signed(zigzag: int) -> int:
    return (zigzag >> 1) ^ -(zigzag & 1)


def _path(feature: dict[str, Any]) -> str:
    """Return the outline with relative steps, which compress best."""
    return "".join(_outline(line) for line in map(_drawn, rings(feature)) if len(line) > 3)


def _outline(line: list[tuple[int, int]]) -> str:
    steps = (f"{b[0] - a[0]} {b[1] - a[1]}" for a, b in pairwise(line))
    return f"M{line[0][0]} {line[0][1]}l{' '.join(steps)}z"


def _drawn(ring: list[Point]) -> list[tuple[int, int]]:
    """Project and round: neighbours round alike, so that shared borders stay shared."""
    found: list[tuple[int, int]] = []
    for longitude, latitude in ring:
        x = round((longitude - WEST) * cos(radians(MIDDLE)) * UNIT)
        y = round((NORTH - latitude) * UNIT)
        if not found or found[-1] != (x, y):
            found.append((x, y))
    return found
