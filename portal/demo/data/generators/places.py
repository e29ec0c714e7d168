"""Counties of Jilin with rough centres, and invented addresses in them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random

Row = dict[str, object]

REGIONS = Path(__file__).parents[3] / "data" / "codes" / "regions.csv"

# Longitude and latitude of each county seat, moved inland where it lies on the border.
CENTRES = """
220102 125.35 43.86  220103 125.33 43.94  220104 125.29 43.83  220105 125.38 43.87
220106 125.26 43.88  220112 125.66 43.53  220113 125.84 44.15  220122 125.18 44.43
220182 126.53 44.84  220183 125.71 44.53  220184 124.82 43.51  220202 126.57 43.89
220203 126.57 43.92  220204 126.53 43.83  220211 126.56 43.81  220221 126.49 43.67
220281 127.34 43.72  220282 126.75 42.97  220283 126.96 44.41  220284 126.06 42.94
220302 124.35 43.15  220303 124.41 43.16  220322 124.34 43.31  220323 125.30 43.35
220382 123.51 43.52  220402 125.14 42.90  220403 125.15 42.93  220421 125.53 42.68
220422 124.99 42.92  220502 125.95 41.73  220503 126.05 41.78  220521 125.76 41.68
220523 126.04 42.68  220524 125.74 42.28  220581 125.70 42.54  220582 126.16 41.16
220602 126.42 41.94  220605 126.59 42.06  220621 127.28 42.34  220622 126.81 42.39
220623 128.19 41.47  220681 126.91 41.84  220702 124.83 45.17  220721 124.80 45.10
220722 123.98 44.28  220723 124.03 45.00  220781 126.04 44.98  220802 122.84 45.62
220821 123.20 45.84  220822 123.09 44.81  220881 122.78 45.34  220882 124.27 45.49
222401 129.50 42.91  222402 129.82 43.00  222403 128.23 43.37  222404 130.36 42.89
222405 129.41 42.79  222406 128.99 42.56  222424 129.76 43.31  222426 128.89 43.11
"""
SPREAD_DEGREES = 0.018
AREA_CODES = {
    "220100": "0431", "220200": "0432", "220300": "0434", "220400": "0437", "220500": "0435",
    "220600": "0439", "220700": "0438", "220800": "0436", "222400": "0433",
}  # fmt: skip
# Invented two-character names: trees, birds and weather rather than the names of real places.
WORDS = [
    "青禾",
    "云杉",
    "白桦",
    "松影",
    "北辰",
    "晨曦",
    "长风",
    "红松",
    "沃野",
    "清溪",
    "雪域",
    "金穗",
    "鹿鸣",
    "丹枫",
    "望江",
    "碧湖",
    "春晖",
    "锦程",
    "明湖",
    "雁归",
    "双泉",
    "柳岸",
    "惠民",
    "康宁",
    "安和",
    "同心",
    "瑞雪",
    "星河",
    "月桂",
    "梨园",
    "朝露",
    "南溪",
    "枫林",
    "玉泉",
    "暖阳",
    "福源",
    "盛禾",
    "广源",
    "嘉木",
    "鸿雁",
]
ROADS = [
    "光明街",
    "新华路",
    "和平路",
    "胜利大街",
    "友谊路",
    "东风大街",
    "建设街",
    "江南路",
    "站前路",
    "文化路",
    "振兴路",
    "迎宾大路",
    "育才街",
    "丰收路",
    "园林路",
    "滨河东路",
    "创业大街",
    "长青路",
]


@dataclass(frozen=True)
class County:
    """`longitude` and `latitude` in degrees, to a hundredth."""

    code: str
    name: str
    city_code: str
    city_name: str
    longitude: float
    latitude: float


@cache
def cities() -> dict[str, str]:
    """Return {code: name} of the nine prefectures."""
    return {r["code"]: r["name"] for r in _regions() if r["level"] == "prefecture"}


@cache
def counties(city_code: str = "") -> tuple[County, ...]:
    """Return the counties of one prefecture, or all sixty in order of code."""
    words = CENTRES.split()
    centres = {
        words[i]: (float(words[i + 1]), float(words[i + 2])) for i in range(0, len(words), 3)
    }
    found = [
        County(
            r["code"], r["name"], r["parent_code"], cities()[r["parent_code"]], *centres[r["code"]]
        )
        for r in _regions()
        if r["code"] in centres
    ]
    return tuple(c for c in found if city_code in ("", c.city_code))


@cache
def _regions() -> tuple[dict[str, str], ...]:
    with REGIONS.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def pick_county(r: Random, city_code: str = "") -> County:
    """Draw a county; those of Changchun and Jilin City come up more often."""
    pool = counties(city_code)
    weights = [{"220100": 4, "220200": 2}.get(c.city_code, 1) for c in pool]
    return r.choices(pool, weights)[0]


def point(r: Random, county: County) -> tuple[float, float]:
    """Return a point a few kilometres at most from the county's centre."""
    return (
        round(county.longitude + r.uniform(-SPREAD_DEGREES, SPREAD_DEGREES), 6),
        round(county.latitude + r.uniform(-SPREAD_DEGREES, SPREAD_DEGREES), 6),
    )


def place(r: Random, county: County) -> Row:
    """Return the six columns that say where something is; the phone number is invented."""
    longitude, latitude = point(r, county)
    digits = 4 if county.city_code == "220100" else 3
    return {
        "county_code": county.code,
        "county_name": county.name,
        "address": f"{county.name}{r.choice(ROADS)}{r.randint(1, 1999)}号",
        "phone": f"{AREA_CODES[county.city_code]}-8000{r.randrange(10**digits):0{digits}d}",
        "longitude": longitude,
        "latitude": latitude,
    }


def word(r: Random) -> str:
    """Return an invented name of two or four characters."""
    return r.choice(WORDS) + (r.choice(WORDS) if r.random() < 0.35 else "")


def days(first: date, last: date, step: int = 1) -> Iterator[date]:
    for offset in range(0, (last - first).days + 1, step):
        yield first + timedelta(days=offset)


def months(first: str, last: str) -> Iterator[str]:
    """Yield YYYY-MM from `first` to `last`, both included."""
    year, month = map(int, first.split("-"))
    while (text := f"{year}-{month:02d}") <= last:
        yield text
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def day_between(r: Random, first: date, last: date) -> date:
    return first + timedelta(days=r.randint(0, (last - first).days))
