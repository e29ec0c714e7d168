"""Invented tables: health, education, social services, legal help."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from .places import Row, counties, day_between, days, pick_county, place, word


def institutions(r: Random) -> Iterator[Row]:
    kinds = (("诊所", 5), ("社区卫生服务中心", 2), ("乡镇卫生院", 2), ("医院", 2), ("门诊部", 1))
    for number in range(1, 1121):
        county = pick_county(r)
        kind = r.choices([k for k, _ in kinds], [w for _, w in kinds])[0]
        big = kind == "医院"
        yield {
            "institution_id": f"{county.code}YL{number:05d}",
            "institution_name": f"{county.name}{word(r)}{kind}", "category": kind,
            "grade": r.choice(("三级甲等", "二级甲等", "二级乙等", "一级", "未定级")) if big else None,
            "department_count": r.randint(8, 42) if big else r.randint(1, 9),
            "bed_count": r.randrange(80, 1600, 20) if big else r.choice((0, 0, 10, 20, 40)),
            "registered_by": f"{county.name}卫生健康局", **place(r, county),
        }  # fmt: skip


def hospital_beds(r: Random) -> Iterator[Row]:
    for number in range(1, 101):
        county, beds = pick_county(r), r.randrange(100, 1600, 20)
        name, usual = f"{county.name}{word(r)}医院", r.uniform(0.62, 0.97)
        for day in days(date(2026, 10, 20), date(2026, 11, 22)):
            flow = round(beds * r.uniform(0.05, 0.12))
            yield {
                "hospital_id": f"{county.code}H{number:04d}", "hospital_name": name,
                "county_code": county.code, "report_date": day, "open_beds": beds,
                "occupied_beds": round(beds * min(1.05, usual + r.uniform(-0.06, 0.06))),
                "icu_free": r.randint(0, 12), "admissions": flow,
                "discharges": max(0, flow + r.randint(-9, 9)),
            }  # fmt: skip


def pharmacies(r: Random) -> Iterator[Row]:
    for number in range(1, 1801):
        county, issued = pick_county(r), day_between(r, date(2022, 1, 4), date(2026, 10, 30))
        yield {
            "licence_no": f"吉示{county.code[2:]}D{number:05d}",
            "company_name": f"{county.name}{word(r)}大药房",
            "business_mode": r.choice(("零售", "零售", "零售（连锁）")),
            "scope": r.choice(("处方药、非处方药", "非处方药", "处方药、非处方药、中药饮片")),
            "medicare": r.random() < 0.7, "night_service": r.random() < 0.12,
            "issued_on": issued, "valid_until": issued + timedelta(days=1825), **place(r, county),
        }  # fmt: skip


def employment_stations(r: Random) -> Iterator[Row]:
    services = (
        "职业介绍、政策咨询",
        "招聘会、职业指导",
        "零工对接、技能培训登记",
        "失业登记、创业指导",
    )
    for number in range(1, 269):
        county, kind = pick_county(r), r.choice(("社区就业服务站", "零工市场", "就业服务大厅"))
        yield {
            "station_id": f"JY{number:04d}", "station_name": f"{word(r)}{kind}", "station_type": kind,
            "services": r.choice(services),
            "opening_hours": r.choice(("工作日8:30-16:30", "每日5:30-16:00", "工作日9:00-17:00")),
            **place(r, county),
        }  # fmt: skip


def vacancies(r: Random) -> Iterator[Row]:
    jobs = (
        ("焊工", "制造业", 4500), ("汽车装配工", "制造业", 5200), ("护理员", "居民服务业", 3600),
        ("收银员", "批发和零售业", 3200), ("软件测试工程师", "信息技术服务业", 7500), ("厨师", "餐饮业", 4800),
        ("货车驾驶员", "交通运输业", 6000), ("电工", "建筑业", 5000), ("幼儿园教师", "教育", 3800),
        ("农机手", "农林牧渔业", 4600), ("客服专员", "商务服务业", 3500), ("药品检验员", "医药制造业", 5500),
    )  # fmt: skip
    for number in range(1, 1151):
        title, industry, pay = r.choice(jobs)
        low = pay + r.randrange(-5, 12) * 100
        posted = day_between(r, date(2026, 10, 8), date(2026, 11, 22))
        yield {
            "job_id": f"ZP2026{number:06d}", "job_title": title, "industry": industry,
            "openings": r.choice((1, 1, 2, 3, 5, 10, 20)), "salary_min": low,
            "salary_max": low + r.randrange(5, 40) * 100,
            "education": r.choice(("不限", "初中", "高中或中专", "大专", "本科")),
            "experience": r.choice(("不限", "1年", "3年", "5年以上")),
            "county_code": pick_county(r).code, "posted_on": posted,
            "closes_on": posted + timedelta(days=r.choice((15, 30, 45))),
        }  # fmt: skip


def kindergartens(r: Random) -> Iterator[Row]:
    for number in range(1, 901):
        county, public = pick_county(r), r.random() < 0.4
        inclusive = public or r.random() < 0.6
        yield {
            "licence_no": f"{county.code}-Y{number:05d}",
            "kindergarten_name": f"{county.name}{word(r)}幼儿园",
            "ownership": "公办" if public else "民办", "inclusive": inclusive,
            "grade": r.choice(("省级示范", "市级示范", "一类", "二类", "三类")),
            "classes": r.randint(3, 18),
            "fee": r.randrange(200, 800, 20) if inclusive else r.randrange(900, 3800, 50),
            "status": "停办" if r.random() < 0.04 else "在办", **place(r, county),
        }  # fmt: skip


def schools(r: Random) -> Iterator[Row]:
    kinds = ("小学", "小学", "初级中学", "九年一贯制学校", "特殊教育学校")
    for number in range(1, 621):
        county, kind = pick_county(r), r.choice(kinds)
        areas = "、".join(f"{word(r)}社区" for _ in range(r.randint(2, 4)))
        yield {
            "school_id": f"{county.code}X{number:04d}", "school_name": f"{county.name}{word(r)}{kind}",
            "school_type": kind, "ownership": "公办" if r.random() < 0.92 else "民办",
            "classes": r.randint(6, 48), "catchment": f"{areas}，以相邻道路中心线为界",
            **place(r, county),
        }  # fmt: skip


def venues(r: Random) -> Iterator[Row]:
    for number in range(1, 237):
        county, kind = (
            counties()[number % 60],
            r.choice(("博物馆", "图书馆", "文化馆", "美术馆", "纪念馆")),
        )
        yield {
            "venue_id": f"WH{number:04d}", "venue_name": f"{county.name}{word(r)}{kind}",
            "venue_type": kind, "opening_hours": r.choice(("9:00-16:00", "8:30-17:00", "9:00-20:00")),
            "closed_on": r.choice(("周一", "周二", "无")), "booking": r.random() < 0.4,
            "accessible": r.random() < 0.7, **place(r, county),
        }  # fmt: skip


def attractions(r: Random) -> Iterator[Row]:
    kinds = ("自然风光", "民俗村", "滑雪场", "温泉", "红色旅游", "乡村旅游")
    for number in range(1, 213):
        county, kind = pick_county(r, "222400"), r.choice(kinds)
        where = place(r, county)
        del where["address"], where["phone"]
        yield {
            "site_id": f"YBJ{number:04d}", "site_name": f"{county.name}{word(r)}{kind}区",
            "rating": r.choice(("AA", "AAA", "AAA", "AAAA")), "site_type": kind,
            "ticket": r.choice((0, 0, 20, 30, 50, 60, 98)),
            "best_season": "冬季" if kind == "滑雪场" else r.choice(("夏季", "秋季", "四季")),
            "by_bus": r.random() < 0.5, "bilingual": r.random() < 0.6, **where,
        }  # fmt: skip


def elderly_homes(r: Random) -> Iterator[Row]:
    for number in range(1, 721):
        county, beds = pick_county(r), r.choice((20, 40, 60, 80, 120, 200))
        fee = r.randrange(900, 3200, 100)
        yield {
            "home_id": f"YLJG{number:05d}", "home_name": f"{county.name}{word(r)}养老服务中心",
            "ownership": r.choice(("公办", "公建民营", "民办", "民办")), "beds": beds,
            "nursing_beds": round(beds * r.uniform(0.2, 0.8)), "free_beds": r.randint(0, beds // 2),
            "fee_min": fee, "fee_max": fee + r.randrange(300, 3000, 100),
            "grade": r.choice(("一级", "二级", "三级", "四级", "未评定")), **place(r, county),
        }  # fmt: skip


def allowances(r: Random) -> Iterator[Row]:
    for county in counties():
        for area, low, high in (("城市", 300, 5200), ("农村", 500, 9000)):
            households = r.randint(low, high)
            for step, quarter in enumerate(("2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4", "2026-Q1")):
                now = round(households * (1 - 0.012 * step) * r.uniform(0.98, 1.02))
                yield {
                    "county_code": county.code, "county_name": county.name, "quarter": quarter,
                    "area_type": area, "households": now, "persons": round(now * r.uniform(1.25, 1.6)),
                    "allowance": r.uniform(520, 760) if area == "城市" else r.uniform(340, 520),
                    "care_rate": r.uniform(38, 92),
                }  # fmt: skip


def service_offices(r: Random) -> Iterator[Row]:
    kinds = ("公共法律服务中心", "法律援助机构", "公证处", "公共法律服务工作站")
    matters = ("法律援助、法律咨询", "公证办理", "人民调解、法律咨询", "劳动争议咨询、欠薪援助")
    for number in range(1, 313):
        county, kind = pick_county(r), r.choice(kinds)
        yield {
            "office_id": f"FL{number:04d}", "office_name": f"{county.name}{word(r)}{kind}",
            "office_type": kind, "matters": r.choice(matters), "free_advice": kind != "公证处",
            "duty_hours": r.choice(("工作日8:30-16:00", "工作日9:00-16:30", "周一至周六9:00-16:00")),
            **place(r, county),
        }  # fmt: skip


def shelters(r: Random) -> Iterator[Row]:
    for number in range(1, 337):
        county, area = pick_county(r), r.uniform(900, 62000)
        yield {
            "shelter_id": f"BN{number:04d}",
            "shelter_name": f"{county.name}{word(r)}{r.choice(('广场', '公园', '体育场', '学校'))}避难场所",
            "category": r.choice(("综合性", "单项性（地震）", "单项性（洪涝）")), "area": area,
            "capacity": round(area / r.uniform(1.6, 3.0)), "utilities": r.random() < 0.65,
            "accessible": r.random() < 0.55, **place(r, county),
        }  # fmt: skip
