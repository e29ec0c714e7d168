"""Invented tables: buses, car parks, roadworks, coaches, charging."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

from .places import Row, cities, counties, day_between, pick_county, place, point, word

SNAPSHOT = datetime(2026, 11, 23, 8, 0, 0)
STOP_ENDINGS = ("街", "路口", "小区", "广场", "市场", "公园", "桥", "学校", "医院", "客运站")
ROAD_CODES = (
    "G102",
    "G202",
    "G203",
    "G302",
    "G303",
    "G331",
    "S101",
    "S203",
    "S206",
    "S302",
    "S514",
)
ROUTES_OF = {"220100": 48, "220200": 24, "222400": 18}
DEFAULT_ROUTES = 12


def _routes() -> Iterator[tuple[str, str, int]]:
    for city in cities():
        for number in range(1, ROUTES_OF.get(city, DEFAULT_ROUTES) + 1):
            yield city, f"{city[:4]}-{number:03d}", number


def bus_stops(r: Random) -> Iterator[Row]:
    for city, route, number in _routes():
        county = r.choice(counties(city))
        names = [word(r) + r.choice(STOP_ENDINGS) for _ in range(r.randint(9, 22))]
        first, last = r.choice(("05:30", "05:50", "06:00", "06:20")), r.choice(("19:30", "21:00"))
        fare = r.choice((1, 1, 1, 2, 2, 3))
        for direction, stops in (("上行", names), ("下行", names[::-1])):
            for order, name in enumerate(stops, 1):
                longitude, latitude = point(r, county)
                yield {
                    "city_code": city, "city_name": cities()[city], "route_id": route,
                    "route_name": f"{number}路", "direction": direction, "stop_order": order,
                    "stop_name": name, "first_bus": first, "last_bus": last, "fare": fare,
                    "longitude": longitude, "latitude": latitude,
                }  # fmt: skip


def bus_arrivals(r: Random) -> Iterator[Row]:
    for _, route, _ in _routes():
        for direction in ("上行", "下行"):
            for vehicle in range(1, r.randint(3, 6)):
                seconds = 0
                for away in range(1, r.randint(2, 6)):
                    seconds += r.randint(60, 260)
                    yield {
                        "route_id": route, "direction": direction,
                        "stop_name": word(r) + r.choice(STOP_ENDINGS),
                        "vehicle_ref": f"V{r.randrange(10**6):06d}", "eta_seconds": seconds,
                        "stops_away": away, "crowding": r.choice(("宽松", "适中", "拥挤")),
                        "computed_at": SNAPSHOT + timedelta(seconds=r.randint(0, 29)),
                        "fleet_no": f"{route}-{vehicle:02d}",
                    }  # fmt: skip


def _stake(r: Random) -> tuple[str, str]:
    start = r.randint(3, 480)
    return (
        f"K{start}+{r.randrange(1000):03d}",
        f"K{start + r.randint(1, 12)}+{r.randrange(1000):03d}",
    )


def roadworks(r: Random) -> Iterator[Row]:
    for number in range(1, 421):
        county, road = pick_county(r), r.choice(ROAD_CODES)
        start, end = _stake(r)
        begins = day_between(r, date(2025, 4, 1), date(2026, 10, 25))
        yield {
            "plan_id": f"SG{begins.year}{number:05d}", "road_code": road,
            "road_name": f"{road}线{county.name}段", "start_stake": start, "end_stake": end,
            "work_type": r.choice(("路面大修", "桥梁加固", "边坡防护", "标线施划", "水毁抢修", "护栏更换")),
            "lanes_closed": r.choice(("半幅封闭", "占用行车道", "占用硬路肩", "全幅封闭")),
            "detour": f"经{r.choice(ROAD_CODES)}绕行",
            "starts_on": begins, "ends_on": begins + timedelta(days=r.randint(3, 36)),
            "county_code": county.code, "county_name": county.name,
        }  # fmt: skip


def parking(r: Random) -> Iterator[Row]:
    for number in range(1, 861):
        county = pick_county(r, "220100")
        where, spaces = place(r, county), r.choice((24, 36, 60, 85, 120, 180, 260, 420))
        del where["phone"]
        yield {
            "park_id": f"{county.code}TC{number:04d}", "park_name": f"{word(r)}停车场",
            "park_type": r.choice(("路外公共", "路外公共", "道路泊位", "商业配建", "医院配建")),
            "spaces": spaces, "charging_spaces": r.randint(0, spaces // 6),
            "tariff": f"首小时{r.choice((2, 3, 4, 5))}元，以后每小时{r.choice((1, 2, 3))}元，"
            f"每日封顶{r.choice((15, 20, 30, 40))}元",
            "opening_hours": r.choice(("全天", "06:00-22:00", "07:00-21:00")), **where,
        }  # fmt: skip


def coaches(r: Random) -> Iterator[Row]:
    pool = counties()
    for number in range(1, 701):
        origin, end = r.sample(pool, 2)
        distance = r.randint(28, 520)
        yield {
            "trip_id": f"BC{number:05d}", "origin": f"{origin.name}客运站", "destination": end.name,
            "departure": f"{r.randint(5, 18):02d}:{r.choice((0, 10, 20, 30, 40, 50)):02d}",
            "distance": distance, "vehicle_type": r.choice(("中型普通", "大型高一级", "大型高二级")),
            "fare": round(distance * r.uniform(0.28, 0.42)), "county_code": origin.code,
        }  # fmt: skip


def former_tolls(r: Random) -> Iterator[Row]:
    for number in range(1, 211):
        county = pick_county(r)
        yield {
            "station_id": f"SF{number:04d}", "station_name": f"{word(r)}收费站",
            "road_code": r.choice(ROAD_CODES), "start_year": r.randint(1988, 2003),
            "end_year": 2009, "batch": r.choice(("第一批", "第二批", "第三批")),
            "county_code": county.code, "county_name": county.name,
        }  # fmt: skip


def freight_index(r: Random) -> Iterator[Row]:
    pairs = [tuple(c.code for c in r.sample(counties(), 2)) for _ in range(20)]
    for offset in range(60):
        for origin, end in sorted(set(pairs)):
            index, half = r.gauss(100, 9), r.uniform(2, 8)
            yield {
                "index_date": date(2026, 8, 2) + timedelta(days=offset), "origin_code": origin,
                "destination_code": end, "supply_index": index, "lower_bound": index - half,
                "upper_bound": index + half, "unit_price": r.uniform(0.28, 0.61),
            }  # fmt: skip


def charging_stations(r: Random) -> Iterator[Row]:
    for number in range(1, 721):
        county = pick_county(r)
        yield {
            "station_id": f"CD{number:05d}", "station_name": f"{word(r)}充电站",
            "dc_count": r.choice((2, 4, 4, 6, 8, 12, 20)), "ac_count": r.choice((0, 0, 2, 4, 8)),
            "max_power": r.choice((60, 120, 160, 180, 240, 480)),
            "service_fee": r.choice((0.3, 0.35, 0.4, 0.45, 0.5, 0.6)),
            "all_day": r.random() < 0.8, **place(r, county),
        }  # fmt: skip


def connectors(r: Random) -> Iterator[Row]:
    states = ("空闲", "空闲", "空闲", "占用", "占用", "离线", "故障")
    for number in range(1, 2001):
        kind = r.choice(("直流GB/T 20234.3", "直流GB/T 20234.3", "交流GB/T 20234.2"))
        yield {
            "connector_id": f"Q{number:06d}", "station_id": f"CD{r.randint(1, 720):05d}",
            "connector_type": kind, "power": 7 if kind.startswith("交流") else r.choice((60, 120, 180)),
            "status": r.choice(states), "heartbeat_at": SNAPSHOT - timedelta(seconds=r.randint(0, 600)),
        }  # fmt: skip
