"""Invented tables: heating, water, power cuts, parcels, toilets, the hotline."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

from .places import Row, cities, days, months, pick_county, place, word

SEASONS = ((date(2026, 1, 5), date(2026, 4, 10)), (date(2026, 10, 20), date(2026, 11, 22)))


def toilets(r: Random) -> Iterator[Row]:
    for number in range(1, 821):
        county = pick_county(r, "220100")
        where = place(r, county)
        del where["address"], where["phone"]
        heated = r.random() < 0.55
        yield {
            "toilet_id": f"GC{number:04d}", "toilet_name": f"{word(r)}公厕",
            "building_type": r.choice(("独立式", "附属式", "移动式")), "male_seats": r.randint(2, 12),
            "female_seats": r.randint(3, 18), "family_room": r.random() < 0.35, "heated": heated,
            "opening_hours": r.choice(("全天", "05:00-22:00")) if heated else "04月-10月06:00-20:00",
            **where,
        }  # fmt: skip


def heating_complaints(r: Random) -> Iterator[Row]:
    kinds = (("温度不达标", 26), ("管网爆漏", 4), ("停热", 7), ("收费", 3))
    for city, name in cities().items():
        size = 3 if city == "220100" else 1
        for first, last in SEASONS:
            for day in days(first, last):
                for kind, usual in kinds:
                    received = max(0, round(r.gauss(usual * size, usual * 0.5)))
                    closed = round(received * r.uniform(0.55, 1.0))
                    yield {
                        "city_code": city, "city_name": name, "reported_on": day,
                        "complaint_type": kind, "received": received, "closed": closed,
                        "closed_rate": closed / received * 100 if received else None,
                    }  # fmt: skip


def heat_substations(r: Random) -> Iterator[Row]:
    first = datetime(2026, 11, 17, 0, 0)
    for number in range(1, 33):
        county, warm = pick_county(r, "220100"), r.uniform(-3, 3)
        for hour in range(144):
            night = 2.5 if hour % 24 < 6 else 0.0
            supply = 88 + warm + night + r.gauss(0, 1.2)
            yield {
                "substation_id": f"HRZ{number:03d}", "county_code": county.code,
                "measured_at": first + timedelta(hours=hour), "primary_supply": supply,
                "primary_return": supply - r.uniform(36, 44), "secondary_supply": supply * 0.54,
                "secondary_return": supply * 0.54 - r.uniform(6, 10), "pressure": r.uniform(0.32, 0.58),
            }  # fmt: skip


def tap_water(r: Random) -> Iterator[Row]:
    for number in range(1, 61):
        area = f"{word(r)}片区"
        for month in months("2025-01", "2026-10"):
            yield {
                "point_id": f"MS{number:03d}", "area_name": area, "month": month,
                "turbidity": r.uniform(0.12, 0.9), "chlorine": r.uniform(0.06, 0.6),
                "bacteria": r.choice((0, 0, 0, 1, 2, 6, 12)), "ph": r.uniform(6.9, 8.1),
                "result": "不合格" if r.random() < 0.006 else "合格",
            }  # fmt: skip


def outages(r: Random) -> Iterator[Row]:
    for number in range(1, 621):
        county = pick_county(r, "220300")
        begins = datetime(2026, 1, 5, r.choice((6, 7, 8)), 30) + timedelta(days=r.randint(0, 326))
        yield {
            "notice_id": f"TD2026{number:04d}", "line_name": f"10千伏{word(r)}线",
            "affected": "、".join(f"{word(r)}{r.choice(('小区', '村', '屯'))}" for _ in range(r.randint(1, 4))),
            "starts_at": begins, "ends_at": begins + timedelta(hours=r.randint(3, 11)),
            "cause": r.choice(("配电设备检修", "线路改造", "用户接入", "树障清理")),
            "status": r.choice(("正常", "正常", "正常", "改期", "取消")), "county_code": county.code,
        }  # fmt: skip


def parcel_outlets(r: Random) -> Iterator[Row]:
    for number in range(1, 821):
        county, kind = (
            pick_county(r),
            r.choice(("快递末端网点", "邮政支局所", "村级寄递物流服务站")),
        )
        yield {
            "outlet_id": f"KD{number:05d}", "outlet_name": f"{county.name}{word(r)}{kind[-3:]}",
            "outlet_type": kind, "brands": 1 if kind == "邮政支局所" else r.randint(1, 6),
            "opening_hours": r.choice(("08:00-18:00", "08:30-20:00", "09:00-17:00")),
            "agency": r.random() < 0.7, **place(r, county),
        }  # fmt: skip


def hotline(r: Random) -> Iterator[Row]:
    kinds = (("供热供水", 900), ("住房物业", 700), ("交通出行", 420), ("社会保障", 360), ("教育", 240),
             ("医疗卫生", 220), ("城市管理", 520), ("消费维权", 480), ("农业农村", 200))  # fmt: skip
    for city, name in cities().items():
        size = 3 if city == "220100" else r.uniform(0.5, 1.2)
        for month in months("2025-01", "2026-10"):
            for kind, usual in kinds:
                winter = 1.8 if kind == "供热供水" and month[5:] in ("01", "11", "12") else 1
                yield {
                    "city_code": city, "city_name": name, "month": month, "category": kind,
                    "received": round(usual * size * winter * r.uniform(0.8, 1.25)),
                    "on_time_rate": min(100, r.gauss(96.5, 1.6)), "satisfaction": min(100, r.gauss(91, 3)),
                }  # fmt: skip
