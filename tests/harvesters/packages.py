"""Invented CKAN packages."""

from __future__ import annotations

from typing import Any


def package(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"id-{number:04}",
        "name": f"name-{number:04}",
        "title": f"数据集 {number}",
        "notes": "摘要",
        "metadata_modified": f"2026-01-01T00:{number // 60:02}:{number % 60:02}.000000",
        "private": False,
        "state": "active",
        "tags": [],
        "groups": [],
        "extras": [],
        "resources": [],
        **changes,
    }


def packages(count: int) -> list[dict[str, Any]]:
    return [package(number) for number in range(count)]
