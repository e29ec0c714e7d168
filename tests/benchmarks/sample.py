"""Makes a sample of whole CKAN packages that differ in everything that search looks at."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from portal.codes import code_list

SUBJECTS = (
    "公交线路", "停车场", "医疗机构", "幼儿园", "空气质量", "水质监测", "气象观测", "企业登记", "行政处罚",
    "养老机构", "文化场馆", "旅游景区", "高速公路", "农产品价格", "用电量", "供热投诉", "就业岗位", "社保缴费",
    "药品抽检", "食品检验", "森林防火", "地名", "建筑工程", "不动产", "财政预算", "政府采购", "法律援助",
    "应急物资", "安全生产", "科技项目", "高校专业", "图书馆藏", "体育场地", "电子证照", "信用评价", "燃气",
)  # fmt: skip
KINDS = ("名录", "统计", "实时数据", "年报", "月报", "明细", "分布", "台账", "指数", "公示")
WORDS = (
    "监测",
    "服务",
    "管理",
    "民生",
    "许可",
    "评估",
    "设施",
    "站点",
    "巡查",
    "登记",
    "收费",
    "价格",
)
FORMATS = ("CSV", "XLSX", "JSON", "XML", "PDF", "API")
LICENCES = ("cc-by-4.0", "cc0-1.0", "odc-by-1.0", "notspecified")
FREQUENCIES = ("daily", "weekly", "monthly", "quarterly", "annual", "irregular")
QUERIES = (
    "公交", "空气质量", "停车场", "医疗机构", "企业登记", "供热投诉", "旅游景区 分布", "长春市", "幼儿园 名录",
    "水质监测 月报", "药品抽检", "就业岗位", "社保缴费 统计", "信用评价", "不动产", "gongjiao",
)  # fmt: skip


def packages(count: int, seed: int = 20261124) -> Iterator[dict[str, object]]:
    """Yield packages as `ckanapi dump datasets` writes them; the same seed gives the same ones."""
    chance = random.Random(seed)
    regions = [r for r in code_list("regions") if r["level"] != "province"]
    departments = [d for d in code_list("departments") if d["measures_apply"] == "direct"]
    themes = list(code_list("themes"))
    for number in range(count):
        region, department = chance.choice(regions), chance.choice(departments)
        theme, subject = chance.choice(themes), chance.choice(SUBJECTS)
        kind, year = chance.choice(KINDS), chance.randint(2010, 2026)
        title = f"{region.name}{subject}{kind}（{year}年）"
        yield {
            "id": str(UUID(int=chance.getrandbits(128), version=4)),
            "name": f"bench-{number:06d}",
            "title": title,
            "notes": _notes(chance, title, department.name),
            "owner_org": department.code.lower(),
            "license_id": chance.choice(LICENCES),
            "tags": [{"name": word} for word in chance.sample(WORDS, 4)],
            "groups": [{"name": theme.code}],
            "resources": [
                _resource(chance, number, place, title) for place in range(chance.randint(1, 4))
            ],
            "extras": [
                {"key": "jl_region", "value": region.code},
                {"key": "jl_open_type", "value": "unconditional"},
                {"key": "jl_update_frequency", "value": chance.choice(FREQUENCIES)},
                {"key": "year", "value": str(year)},
            ],
        }


def _notes(chance: random.Random, title: str, department: str) -> str:
    sentences = [
        f"{title}由{department}提供，按{chance.choice(WORDS)}口径整理，第{chance.randint(1, 99999)}批。",
        f"包含{'、'.join(chance.sample(SUBJECTS, 3))}等相关{chance.choice(WORDS)}内容。",
        f"数据约{chance.randint(100, 900000)}条，用于{chance.choice(WORDS)}与{chance.choice(WORDS)}。",
    ]
    return "\n\n".join(sentences)


def _resource(chance: random.Random, number: int, place: int, title: str) -> dict[str, object]:
    format = chance.choice(FORMATS)
    return {
        "id": str(UUID(int=chance.getrandbits(128), version=4)),
        "name": f"{title}.{format.lower()}",
        "description": f"字段：{'、'.join(chance.sample(WORDS, 4))}",
        "format": format,
        "url": f"https://data.example.org/{number}/{place}.{format.lower()}",
        "size": chance.randint(1000, 90_000_000),
    }


def write(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        for package in packages(count):
            file.write(json.dumps(package, ensure_ascii=False) + "\n")
