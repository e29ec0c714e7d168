"""Invented tables: credit, housing, farming, trade, finance, market, statistics."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from random import Random

from .places import Row, cities, counties, day_between, days, months, pick_county, place, word

INDUSTRIES = (
    "制造业",
    "批发和零售业",
    "建筑业",
    "住宿和餐饮业",
    "农林牧渔业",
    "信息技术服务业",
    "交通运输业",
)


def _company(r: Random, suffix: str = "有限公司") -> str:
    return (
        f"吉林{word(r)}{r.choice(('商贸', '农业', '机械', '建材', '食品', '物流', '科技'))}{suffix}"
    )


def double_publicity(r: Random) -> Iterator[Row]:
    for county in counties():
        scale = r.uniform(40, 620)
        for month in months("2025-01", "2026-10"):
            yield {
                "county_code": county.code, "county_name": county.name, "month": month,
                "permit_count": round(scale * r.uniform(0.6, 1.4)),
                "penalty_count": round(scale * r.uniform(0, 0.16)),
                "on_time_rate": min(100, r.gauss(96, 3)), "returned_count": r.choice((0, 0, 0, 1, 2, 5)),
            }  # fmt: skip


def new_home_sales(r: Random) -> Iterator[Row]:
    for county in counties():
        price = r.uniform(3600, 9800)
        for month in months("2025-01", "2026-07"):
            for kind in ("住宅", "非住宅"):
                units = round(abs(r.gauss(60, 45)) * (1 if kind == "住宅" else 0.15))
                yield {
                    "county_code": county.code, "county_name": county.name, "month": month,
                    "property_type": kind, "units": units, "area": units * r.uniform(82, 118),
                    "average_price": price * r.uniform(0.94, 1.06) if units >= 5 else None,
                }  # fmt: skip


def rental_projects(r: Random) -> Iterator[Row]:
    for number in range(1, 229):
        county, smallest = pick_county(r), r.uniform(22, 45)
        yield {
            "project_id": f"BZF{number:04d}", "project_name": f"{word(r)}公寓项目",
            "units": r.randrange(40, 1200, 10), "min_area": smallest,
            "max_area": smallest + r.uniform(8, 40), "discount": r.uniform(0.7, 0.9),
            "build_mode": r.choice(("新建", "改建", "盘活存量")), "in_use": r.random() < 0.6,
            "county_code": county.code, "county_name": county.name,
        }  # fmt: skip


def instruments(r: Random) -> Iterator[Row]:
    kinds = (("扫描电子显微镜", "材料科学"), ("液相色谱质谱联用仪", "化学"), ("核磁共振波谱仪", "化学"),
             ("基因测序仪", "生物学"), ("电波暗室测试系统", "电子与通信"), ("发动机台架", "机械工程"),
             ("激光共聚焦显微镜", "生物学"), ("X射线衍射仪", "材料科学"))  # fmt: skip
    for number in range(1, 431):
        name, discipline = r.choice(kinds)
        yield {
            "instrument_id": f"YQ{number:05d}", "instrument_name": name,
            "model": f"XY-{r.randint(100, 990)}{r.choice('ABCD')}", "discipline": discipline,
            "cost": r.uniform(50, 680), "since_year": r.randint(2006, 2026),
            "service_hours": r.randrange(60, 1500, 20),
            "charging": r.choice(("按机时", "按样品", "协商", None)),
            "owner_type": r.choice(("高等学校", "科研院所", "检测机构")), "county_code": pick_county(r).code,
        }  # fmt: skip


def slaughterhouses(r: Random) -> Iterator[Row]:
    for number in range(1, 217):
        county, ok = pick_county(r), r.random() < 0.92
        yield {
            "plant_id": f"A22{number:04d}", "company_name": f"{county.name}{word(r)}屠宰厂",
            "plant_type": r.choice(("定点屠宰厂", "小型屠宰点")), "capacity": r.randrange(5000, 400000, 5000),
            "cold_chain": r.random() < 0.6, "laboratory": r.random() < 0.85,
            "conclusion": "通过" if ok else "限期整改", "remark": None if ok else "检验室设备待更新",
            "county_code": county.code, "county_name": county.name,
        }  # fmt: skip


def grain_prices(r: Random) -> Iterator[Row]:
    for city, name in cities().items():
        for kind, base in (("玉米", 2180), ("粳稻", 2860), ("大豆", 4020), ("高粱", 2540)):
            price = base * r.uniform(0.97, 1.03)
            for day in days(date(2025, 1, 3), date(2026, 11, 13), 7):
                change = r.gauss(0, 0.7)
                price *= 1 + change / 100
                yield {
                    "city_code": city, "city_name": name, "observed_on": day, "commodity": kind,
                    "grade": r.choice(("一等", "二等", "三等")), "price": price,
                    "moisture": r.uniform(13.2, 15.4), "weekly_change": change,
                }  # fmt: skip


def markets(r: Random) -> Iterator[Row]:
    for number in range(1, 359):
        county, kind = pick_county(r), r.choice(("农贸市场", "早市", "夜市", "批发市场"))
        yield {
            "market_id": f"SC{number:04d}", "market_name": f"{county.name}{word(r)}{kind}",
            "market_type": kind, "stalls": r.randrange(20, 620, 5),
            "opening_hours": {"早市": "04:30-08:00", "夜市": "16:30-22:00"}.get(kind, "07:00-18:00"),
            "winter_open": r.random() < 0.6, "rapid_test": r.random() < 0.5, **place(r, county),
        }  # fmt: skip


def budget_execution(r: Random) -> Iterator[Row]:
    subjects = (("税收收入", "收入", 9), ("非税收入", "收入", 4), ("教育支出", "支出", 7),
                ("社会保障和就业支出", "支出", 9), ("卫生健康支出", "支出", 5), ("农林水支出", "支出", 6))  # fmt: skip
    for city, name in {"220000": "吉林省本级", **cities()}.items():
        for subject, flow, weight in subjects:
            plan, total = weight * r.uniform(6000, 26000) * 12, 0.0
            for month in months("2025-01", "2026-10"):
                total = 0.0 if month.endswith("-01") else total
                amount = plan / 12 * r.uniform(0.7, 1.3)
                total += amount
                yield {
                    "city_code": city, "city_name": name, "month": month, "subject": subject,
                    "flow": flow, "amount": round(amount, 2), "cumulative": round(total, 2),
                    "progress": total / plan * 100,
                }  # fmt: skip


def penalties(r: Random) -> Iterator[Row]:
    faults = (
        "未按规定开展安全培训",
        "特种作业人员无证上岗",
        "消防通道堵塞",
        "未建立隐患台账",
        "有限空间作业未审批",
    )
    for number in range(1, 441):
        county, day = pick_county(r), day_between(r, date(2025, 11, 5), date(2026, 10, 30))
        yield {
            "decision_no": f"吉示应急罚〔{day.year}〕{number}号", "company_name": _company(r),
            "industry": r.choice(INDUSTRIES), "violation": r.choice(faults),
            "penalty_type": r.choice(("罚款", "警告并罚款", "责令停产停业")),
            "fine": r.choice((0.5, 1, 2, 3, 5, 8, 20)), "decided_on": day,
            "county_code": county.code, "county_name": county.name,
        }  # fmt: skip


def registrations(r: Random) -> Iterator[Row]:
    for county in counties():
        for kind, scale in (("企业", 120), ("个体工商户", 460), ("农民专业合作社", 6)):
            active = round(scale * r.uniform(60, 140))
            for month in months("2025-07", "2026-10"):
                new, closed = round(scale * r.uniform(0.5, 1.5)), round(scale * r.uniform(0.2, 1.1))
                active += new - closed
                yield {
                    "county_code": county.code, "county_name": county.name, "month": month,
                    "entity_type": kind, "new_count": new, "closed_count": closed,
                    "active_count": max(0, active),
                }  # fmt: skip


def companies(r: Random) -> Iterator[Row]:
    for number in range(1, 2201):
        yield {
            "registration_id": f"SLQY{number:06d}",
            "company_name": _company(r, r.choice(("有限公司", "有限责任公司", "股份有限公司"))),
            "company_type": r.choice(("有限责任公司", "股份有限公司", "个人独资企业", "合伙企业")),
            "industry": r.choice(INDUSTRIES), "capital": r.choice((10, 50, 100, 200, 500, 1000, 5000)),
            "founded_on": day_between(r, date(1996, 1, 8), date(2026, 11, 10)),
            "status": r.choices(("存续", "吊销", "注销", "迁出"), (88, 4, 7, 1))[0],
            "county_code": pick_county(r).code, "internal_flag": r.choice(("", "待核", "已核")),
        }  # fmt: skip


def food_inspections(r: Random) -> Iterator[Row]:
    foods = (("粮食加工品", "大米"), ("食用农产品", "菠菜"), ("肉制品", "酱牛肉"), ("酒类", "白酒"), ("乳制品", "酸奶"),
             ("糕点", "月饼"), ("蔬菜制品", "辣白菜"), ("豆制品", "干豆腐"))  # fmt: skip
    for number in range(1, 2601):
        (category, food), county = r.choice(foods), pick_county(r)
        day = day_between(r, date(2025, 9, 1), date(2026, 11, 10))
        yield {
            "sample_id": f"CJ{day:%y%m}-{number:05d}", "category": category, "food_name": food,
            "stage": r.choice(("生产", "流通", "餐饮")),
            "test_item": r.choice(("农药残留", "菌落总数", "防腐剂", "重金属", "酒精度")),
            "result": "不合格" if r.random() < 0.028 else "合格",
            "notice_no": f"{day.year}年第{(day.month + 1) // 2}期", "sampled_on": day,
            "county_code": county.code,
        }  # fmt: skip


def social_organisations(r: Random) -> Iterator[Row]:
    kinds = (
        ("社会团体", "协会"),
        ("民办非企业单位", "服务中心"),
        ("基金会", "基金会"),
        ("社会团体", "商会"),
    )
    for number in range(1, 621):
        county, (kind, ending) = pick_county(r), r.choice(kinds)
        yield {
            "registration_no": f"SLSZ{number:05d}",
            "org_name": f"{county.name}{word(r)}{r.choice(('志愿', '养老', '农技', '环保', '文化'))}{ending}",
            "org_type": kind, "supervisor": r.choice(("民政类", "教育类", "卫生类", "农业类", "直接登记")),
            "founded_on": day_between(r, date(1992, 3, 2), date(2026, 9, 30)),
            "grade": r.choice(("5A", "4A", "3A", "2A", None)),
            "inspection": r.choice(("合格", "合格", "合格", "基本合格", "未参检")),
            "abnormal": r.random() < 0.05, "county_code": county.code,
        }  # fmt: skip


def county_indicators(r: Random) -> Iterator[Row]:
    for county in counties():
        gdp, people = r.uniform(38, 260), r.uniform(14, 78)
        for year in range(2015, 2026):
            gdp, people = gdp * r.uniform(1.0, 1.07), people * r.uniform(0.977, 0.997)
            first, second = r.uniform(0.08, 0.32), r.uniform(0.2, 0.4)
            income = 9800 * 1.068 ** (year - 2015) * r.uniform(0.94, 1.06)
            yield {
                "county_code": county.code, "county_name": county.name, "year": year, "gdp": gdp,
                "primary_sector": gdp * first, "secondary_sector": gdp * second,
                "tertiary_sector": gdp * (1 - first - second), "population": people,
                "grain_output": r.uniform(3, 190), "urban_income": round(income * r.uniform(2.0, 2.3)),
                "rural_income": round(income),
            }  # fmt: skip
