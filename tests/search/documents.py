"""Entries for the tests of search, with what a test does not care about filled in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from search.document import SearchDocument

PUBLIC = frozenset({"public"})
START = datetime(2026, 1, 1, tzinfo=UTC)


def entry(entry_id: int, title: str, **given: Any) -> SearchDocument:
    """Return a public entry; `facets` take lists, `day` counts from 2026-01-01."""
    day = given.pop("day", 0)
    facets = {name: tuple(codes) for name, codes in given.pop("facets", {}).items()}
    fields = {
        "version": 1,
        "labels": PUBLIC,
        "code": f"220000-{entry_id:05}",
        "value_score": 0.0,
        "created": START,
        "modified": START + timedelta(days=day),
        "facets": facets,
        "stored": {"title": title},
        **given,
    }
    return SearchDocument(id=entry_id, title=title, **fields)


def catalogue() -> list[SearchDocument]:
    """Return a small catalogue of Jilin in which each way of finding has its entry."""
    return [
        entry(
            1,
            "长春市公交线路站点信息",
            value_score=89.3,
            day=9,
            code="220100#00021/000001",
            name="changchun-bus-stops",
            keywords=("公交", "线路"),
            item_names=("站点名称", "经度", "纬度"),
            provider_names=("长春市交通运输局",),
            facets={
                "theme": ["transport"],
                "region": ["220000", "220100"],
                "format": ["csv", "json"],
                "open_type": ["unconditional"],
                "tags": ["公交", "线路"],
            },
        ),
        entry(
            2,
            "最低生活保障家庭名单",
            value_score=48.0,
            day=5,
            abstract="全省城乡最低生活保障对象的发放情况，按月更新。",
            facets={
                "theme": ["social"],
                "region": ["220000"],
                "format": ["xlsx"],
                "open_type": ["conditional"],
            },
        ),
        entry(
            3,
            "公交站点",
            value_score=5.0,
            day=1,
            facets={
                "theme": ["transport"],
                "region": ["220000", "220200"],
                "format": ["csv"],
                "open_type": ["unconditional"],
            },
        ),
        entry(
            4,
            "医疗机构床位",
            value_score=62.6,
            day=7,
            sample_values=("吉林大学第一医院",),
            facets={
                "theme": ["health"],
                "region": ["220000"],
                "format": ["json"],
                "open_type": ["conditional"],
            },
        ),
        entry(
            5,
            "空氣質量小時值（ＡＱＩ）",
            title_en="Hourly air quality of monitoring stations",
            value_score=55.0,
            day=3,
            item_names=("PM2.5浓度", "监测站"),
            facets={
                "theme": ["environment"],
                "region": ["220000", "220100"],
                "format": ["csv"],
                "open_type": ["unconditional"],
            },
        ),
        entry(6, "기상 관측 자료 연변", value_score=10.0, facets={"theme": ["weather"]}),
        entry(7, "㵟甪镇数据", value_score=1.0, facets={"theme": ["environment"]}),
    ]
