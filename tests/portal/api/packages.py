"""Packages as clients send them."""

from __future__ import annotations

import itertools
from typing import Any
from uuid import uuid4

_numbers = itertools.count(1)


def foreign_package(**changes: Any) -> dict[str, Any]:
    """A whole package as another CKAN's dump writes it, with keys that nobody here knows."""
    number = next(_numbers)
    package_id = str(uuid4())
    package = {
        "author": "测绘院",
        "author_email": None,
        "creator_user_id": "ca7f966e-0242-4170-9749-ab9b07be3003",
        "id": package_id,
        "isopen": True,
        "license_id": "cc-by",
        "license_title": "Creative Commons Attribution",
        "license_url": "http://www.opendefinition.org/licenses/cc-by",
        "maintainer": "抚松县数据管理科",
        "maintainer_email": "data@example.cn",
        "metadata_created": "2024-01-02T03:04:05.678901",
        "metadata_modified": "2025-02-03T04:05:06.789012",
        "name": f"air-quality-{number:04d}",
        "notes": "抚松县空气质量监测名录。\n\n每日更新。",
        "organization": {
            "id": "5cca3367-ca31-5a17-9b68-8b97eaacd6b8",
            "name": "fusong-data",
            "title": "抚松县数据局",
            "type": "organization",
            "description": "负责数据。",
            "image_url": "",
            "created": "2020-01-01T00:00:00.000000",
            "is_organization": True,
            "approval_status": "approved",
            "state": "active",
        },
        "owner_org": "5cca3367-ca31-5a17-9b68-8b97eaacd6b8",
        "private": False,
        "state": "active",
        "title": f"抚松县空气质量监测名录第{number}号",
        "type": "dataset",
        "url": "https://data.example.cn/air",
        "version": "2021.4",
        "extras": [
            {"key": "area", "value": "抚松县"},
            {"key": "frequency", "value": "每日"},
            {"key": "identifier", "value": f"urn:air:{number}"},
        ],
        "groups": [{"name": "environment", "title": "生态环境"}],
        "tags": [{"name": "空气质量"}, {"name": "PM2.5"}],
        "resources": [
            {
                "id": str(uuid4()),
                "package_id": package_id,
                "name": "名录.csv",
                "description": "全部站点",
                "format": "CSV",
                "url": "https://data.example.cn/air.csv",
                "created": "2024-01-02T03:04:05.000000",
                "last_modified": None,
                "metadata_modified": "2024-01-02T03:04:06.000000",
                "mimetype": "text/csv",
                "size": 38155707,
                "hash": "",
                "position": 0,
                "url_type": None,
                "schema_version": 3,
            }
        ],
        "harvest_note": {"found": "somewhere"},
    }
    return package | changes


def draft_package(**changes: Any) -> dict[str, Any]:
    """What an agency's editor sends."""
    number = next(_numbers)
    package = {
        "title": f"吉林省公路养护计划第{number}号",
        "notes": "全省国省干线公路年度养护计划，含路段、里程和工期，供公众查询。",
        "owner_org": "jl-tra",
        "tags": [{"name": "公路"}, {"name": "养护"}],
        "groups": [{"name": "transport"}],
        "license_id": "cc-by-4.0",
        "maintainer": "省交通运输厅公路处",
        "extras": [
            {"key": "jl_open_type", "value": "unconditional"},
            {"key": "jl_region", "value": "220000"},
            {"key": "jl_update_frequency", "value": "annual"},
            {"key": "my_note", "value": "自由文字"},
        ],
    }
    return package | changes
