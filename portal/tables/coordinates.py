"""Coordinate systems of places in China, and their conversion for display on a map.

GCJ-02 shifts WGS 84 by some hundred metres by a formula that was never published; the one here is
the approximation in common use, good to a few metres. CGCS2000 and WGS 84 differ by centimetres.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

SYSTEMS = {
    "cgcs2000": "CGCS2000（2000国家大地坐标系）",
    "wgs84": "WGS 84",
    "gcj02": "GCJ-02（火星坐标）",
    "bd09": "BD-09（百度坐标）",
}
_AXIS, _ECCENTRICITY = 6378245.0, 0.00669342162296594323  # Krasovsky 1940
_BD_ANGLE = math.pi * 3000.0 / 180.0
_NAMES = (
    (re.compile(r"CGCS\s*2000|2000国家", re.I), "cgcs2000"),
    (re.compile(r"WGS[\s_-]*84|(?<![a-z])GPS", re.I), "wgs84"),
    (re.compile(r"GCJ[\s_-]*02|火星|高德|腾讯|amap|(?<![a-z])gcj", re.I), "gcj02"),
    (re.compile(r"BD[\s_-]*09|百度|baidu|(?<![a-z])bd_", re.I), "bd09"),
)


def system_in_names(names: Iterable[str]) -> str:
    """Return the system that a column name says (经度（GCJ-02）), "" where none does."""
    for name in names:
        for pattern, system in _NAMES:
            if pattern.search(name):
                return system
    return ""


def to_wgs84(longitude: float, latitude: float, system: str) -> tuple[float, float]:
    """Return the place in WGS 84, in degrees; "" counts as WGS 84."""
    if system == "bd09":
        longitude, latitude = _gcj_of_bd(longitude, latitude)
        system = "gcj02"
    if system != "gcj02" or not _is_in_china(longitude, latitude):
        return longitude, latitude
    shifted = _gcj_of_wgs(longitude, latitude)
    guess = (2 * longitude - shifted[0], 2 * latitude - shifted[1])
    for _ in range(2):  # the shift hardly changes over its own length: two steps reach centimetres
        shifted = _gcj_of_wgs(*guess)
        guess = (guess[0] + longitude - shifted[0], guess[1] + latitude - shifted[1])
    return guess


def _is_in_china(longitude: float, latitude: float) -> bool:
    return 72.004 <= longitude <= 137.8347 and 0.8293 <= latitude <= 55.8271


def _gcj_of_wgs(longitude: float, latitude: float) -> tuple[float, float]:
    x, y = longitude - 105.0, latitude - 35.0
    wave = (20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)) * 2 / 3
    root = math.sqrt(abs(x))
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    north += (20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi)) * 2 / 3
    north += (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y * math.pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    east += (20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi)) * 2 / 3
    east += (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
    angle = latitude / 180 * math.pi
    magic = 1 - _ECCENTRICITY * math.sin(angle) ** 2
    meridian = _AXIS * (1 - _ECCENTRICITY) / (magic * math.sqrt(magic))
    parallel = _AXIS / math.sqrt(magic) * math.cos(angle)
    return (
        longitude + east * 180 / (parallel * math.pi),
        latitude + north * 180 / (meridian * math.pi),
    )


def _gcj_of_bd(longitude: float, latitude: float) -> tuple[float, float]:
    x, y = longitude - 0.0065, latitude - 0.006
    z = math.sqrt(x * x + y * y) - 0.00002 * math.sin(y * _BD_ANGLE)
    angle = math.atan2(y, x) - 0.000003 * math.cos(x * _BD_ANGLE)
    return z * math.cos(angle), z * math.sin(angle)
