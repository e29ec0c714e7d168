"""Invented tables: air, water, noise, weather, soil, visitors in the mountains."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

from .places import Row, cities, counties, day_between, days, months, pick_county, word

GRADES = ((50, "优"), (100, "良"), (150, "轻度污染"), (200, "中度污染"), (300, "重度污染"))


def _winter(day: date) -> float:
    """Return 1 in mid-January, 0 in mid-July."""
    return (1 + math.cos((day.timetuple().tm_yday - 15) / 365 * 2 * math.pi)) / 2


def _grade(aqi: int) -> str:
    return next((name for limit, name in GRADES if aqi <= limit), "严重污染")


def air_daily(r: Random) -> Iterator[Row]:
    for city, name in cities().items():
        haze = 0.0
        for day in days(date(2025, 1, 1), date(2026, 11, 22)):
            haze = 0.7 * haze + r.gauss(0, 9)
            pm25 = max(4, round(16 + 34 * _winter(day) + haze + r.gauss(0, 5)))
            o3 = max(12, round(128 - 88 * _winter(day) + r.gauss(0, 15)))
            aqi = max(round(pm25 * 1.3), round(o3 * 0.6))
            yield {
                "city_code": city, "city_name": name, "observed_on": day, "aqi": aqi,
                "grade": _grade(aqi),
                "primary_pollutant": None if aqi <= 50 else ("PM2.5" if pm25 * 1.3 > o3 * 0.6 else "O3"),
                "pm25": pm25, "pm10": round(pm25 * r.uniform(1.3, 2.1)),
                "so2": round(6 + 14 * _winter(day) + r.uniform(-3, 4)),
                "no2": round(16 + 18 * _winter(day) + r.uniform(-5, 8)),
                "co": 0.4 + 0.7 * _winter(day) + r.uniform(-0.1, 0.3), "o3": o3,
            }  # fmt: skip


def air_hourly(r: Random) -> Iterator[Row]:
    first = datetime(2026, 11, 16, 0, 0)
    for number in range(1, 28):
        city, name = list(cities())[number % 9], f"{word(r)}站"
        base = r.uniform(28, 62)
        for hour in range(168):
            flag = r.choices(("N", "C", "M"), (96, 2, 2))[0]
            missing = flag == "M"
            daily = 1 + 0.25 * math.cos((hour % 24 - 8) / 12 * math.pi)
            yield {
                "station_id": f"JL{number:04d}", "station_name": name, "city_code": city,
                "observed_at": first + timedelta(hours=hour),
                "pm25": None if missing else max(2, round(base * daily + r.gauss(0, 7))),
                "o3": None if missing else max(2, round(48 / daily + r.gauss(0, 6))),
                "no2": None if missing else max(2, round(30 * daily + r.gauss(0, 5))),
                "co": None if missing else 0.6 * daily + r.uniform(0, 0.4), "flag": flag,
            }  # fmt: skip


def river_quality(r: Random) -> Iterator[Row]:
    basins = (("松花江流域", "松花江"), ("松花江流域", "饮马河"), ("辽河流域", "东辽河"),
              ("图们江流域", "布尔哈通河"), ("鸭绿江流域", "浑江"))  # fmt: skip
    classes = ("Ⅱ", "Ⅲ", "Ⅲ", "Ⅳ")
    for number in range(1, 67):
        basin, river = basins[number % 5]
        name, target = f"{word(r)}断面", r.choice(("Ⅱ", "Ⅲ", "Ⅳ"))
        for month in months("2025-01", "2026-10"):
            frozen = month[5:] in ("01", "02") and r.random() < 0.5
            yield {
                "section_id": f"DM{number:04d}", "section_name": name, "basin": basin, "river": river,
                "month": month, "target_class": target,
                "actual_class": None if frozen else r.choice(classes),
                "dissolved_oxygen": None if frozen else r.uniform(6.1, 12.8),
                "permanganate": None if frozen else r.uniform(1.6, 7.9),
                "ammonia": None if frozen else r.uniform(0.05, 1.4),
                "phosphorus": None if frozen else r.uniform(0.02, 0.26),
            }  # fmt: skip


def noise(r: Random) -> Iterator[Row]:
    limits = {"1类": (55, 45), "2类": (60, 50), "3类": (65, 55), "4类": (70, 55)}
    quarters = [f"{year}-Q{q}" for year in (2025, 2026) for q in (1, 2, 3, 4)][:7]
    for number in range(1, 49):
        county, zone = pick_county(r, "220200"), r.choice(list(limits))
        name, (day_limit, night_limit) = f"{word(r)}点位", limits[zone]
        for quarter in quarters:
            day_level, night_level = day_limit - r.uniform(-2, 9), night_limit - r.uniform(-3, 7)
            yield {
                "point_id": f"ZS{number:03d}", "point_name": name, "zone_class": zone,
                "quarter": quarter, "day_level": day_level, "night_level": night_level,
                "day_limit": day_limit, "night_limit": night_limit,
                "compliant": round(day_level, 1) <= day_limit and round(night_level, 1) <= night_limit,
                "county_code": county.code,
            }  # fmt: skip


def weather_daily(r: Random) -> Iterator[Row]:
    for index, county in enumerate(counties()[::3]):
        cold = (county.latitude - 43.5) * 1.1
        spell = 0.0
        for day in days(date(2025, 6, 1), date(2026, 11, 22)):
            spell = 0.75 * spell + r.gauss(0, 2.2)
            mean = 23.5 - 39 * _winter(day) - cold + spell
            wet = r.random() < 0.16 + 0.24 * (1 - _winter(day))
            rain = r.expovariate(1 / (1.2 + 9 * (1 - _winter(day)))) if wet else 0.0
            yield {
                "station_id": f"S{index + 1:04d}", "station_name": f"{county.name}站", "observed_on": day,
                "mean_temp": mean, "max_temp": mean + r.uniform(3, 8), "min_temp": mean - r.uniform(3, 9),
                "precipitation": rain, "wind_speed": abs(r.gauss(2.6, 1.1)),
                "humidity": min(98, round(58 + 18 * wet + r.gauss(0, 8))),
                "sunshine": r.uniform(0, 4) if wet else r.uniform(4, 11.5),
                "snow_depth": round(r.uniform(0, 24)) if mean < -6 else 0,
            }  # fmt: skip


def warnings(r: Random) -> Iterator[Row]:
    hazards = (("暴雨", (6, 7, 8)), ("大风", (3, 4, 5)), ("寒潮", (1, 11, 12)), ("大雾", (9, 10, 11)),
               ("道路结冰", (1, 2, 11, 12)), ("高温", (6, 7)), ("雷电", (6, 7, 8)))  # fmt: skip
    for number in range(1, 861):
        hazard, season = r.choice(hazards)
        year = r.choice((2025, 2026))
        month = r.choice([m for m in season if year == 2025 or m <= 11])
        issued = datetime(year, month, r.randint(1, 22), r.randrange(24), r.randrange(60))
        county = pick_county(r)
        yield {
            "warning_id": f"YJ{issued:%Y%m%d}-{number:04d}", "hazard": hazard,
            "level": r.choices(("蓝色", "黄色", "橙色", "红色"), (5, 4, 2, 0.3))[0], "issued_at": issued,
            "lifted_at": issued + timedelta(minutes=r.randint(90, 2200)),
            "issued_by": f"{county.name}气象台", "county_code": county.code,
        }  # fmt: skip


def soil_moisture(r: Random) -> Iterator[Row]:
    seasons = ((date(2025, 4, 5), date(2025, 10, 31)), (date(2026, 4, 4), date(2026, 10, 31)))
    for number in range(1, 49):
        county, crop = pick_county(r), r.choice(("玉米", "玉米", "水稻", "大豆"))
        for first, last in seasons:
            for day in days(first, last, 7):
                top = r.gauss(71, 11)
                yield {
                    "point_id": f"SQ{number:03d}", "county_code": county.code,
                    "county_name": county.name, "measured_on": day, "crop": crop,
                    "moisture_20": top, "moisture_40": top + r.uniform(-4, 9),
                    "grade": "干旱" if top < 58 else "过湿" if top > 88 else "适宜",
                }  # fmt: skip


def mountain_visitors(r: Random) -> Iterator[Row]:
    for slope, share in (("北坡", 1.0), ("西坡", 0.45), ("南坡", 0.12)):
        for day in days(date(2025, 6, 1), date(2026, 11, 22)):
            crowd = share * (2200 + 15500 * (1 - _winter(day)) ** 3) * r.uniform(0.6, 1.35)
            is_open = r.random() > 0.12 + 0.25 * _winter(day)
            yield {
                "slope": slope, "visited_on": day, "visitors": round(crowd),
                "shuttle_trips": round(crowd / r.uniform(28, 40)),
                "load_rate": crowd / (share * 24000) * 100, "summit_open": is_open,
                "closure_reason": None if is_open else r.choice(("大风", "降雪", "低能见度")),
            }  # fmt: skip


def archive_catalogue(r: Random) -> Iterator[Row]:
    for number in range(1, 381):
        year = r.randint(1950, 1999)
        yield {
            "archive_no": f"{r.randint(1, 60):03d}-{year}-{number:04d}",
            "fonds": r.choice(("水利工程全宗", "农业生产全宗", "公路建设全宗", "气象观测全宗")), "year": year,
            "archive_title": f"{year}年{word(r)}{r.choice(('水库', '林场', '公路', '气象站'))}"
            f"{r.choice(('建设', '验收', '年度总结', '观测记录'))}文件",
            "pages": r.randint(4, 260), "opened_on": day_between(r, date(2025, 6, 2), date(2025, 9, 1)),
        }  # fmt: skip
