"""A city runs a portal of its own, with its theme and its region; the province harvests it.

Both are served; what is compared is what their Action APIs say to anybody.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from portal.jobs.worker import Worker
from portal.platform import Platform
from tests.cities import CITY_AGENCY, REGION, City
from tests.factories import Catalogue, People, content
from tests.harvesters.replay import ReplayServer
from tests.live import LiveServer
from tests.portal.services.harvests import Harvests, totals

COUNT = 7


def city_theme(folder: Path) -> Path:
    (folder / "static" / "css").mkdir(parents=True)
    (folder / "static" / "css" / "theme.css").write_text(":root { --brand: #7a1f1f; }")
    names = {"site_title": "长春市公共数据开放平台", "site_title_en": "Changchun Open Data"}
    (folder / "theme.json").write_text(json.dumps(names, ensure_ascii=False), encoding="utf-8")
    return folder


def fill(platform: Platform) -> None:
    with platform.database.writing() as session:
        catalogue = Catalogue(platform, session, People(platform, session))
        for number in range(COUNT):
            catalogue.opened(content(title=f"长春市数据{number}", region=REGION))
    Worker(platform).run_until_idle()


def packages(server: LiveServer) -> dict[str, dict[str, Any]]:
    """Return id -> package, as anybody is told."""
    answer = requests.get(
        f"{server.url}/api/3/action/package_search", params={"rows": 100}, timeout=30
    ).json()["result"]
    assert answer["count"] == len(answer["results"])
    return {package["id"]: package for package in answer["results"]}


def extra(package: dict[str, Any], key: str) -> Any:
    return next((e["value"] for e in package["extras"] if e["key"] == key), None)


def test_the_province_has_what_the_city_has(
    make_platform: Callable[..., Platform],
    live_server: Callable[[Platform], LiveServer],
    tmp_path: Path,
) -> None:
    city = make_platform("sqlite", name="city", theme=str(city_theme(tmp_path / "changchun")))
    fill(city)
    city_served = live_server(city)
    assert "长春市公共数据开放平台" in requests.get(city_served.url, timeout=30).text
    province = make_platform(
        "sqlite", name="province", fetch_allowed_hosts=(urlsplit(city_served.url).netloc,)
    )
    with province.database.writing() as session:
        City(session, province.clock, People(province, session))
    harvests = Harvests(province, ReplayServer())
    harvests.add_source("changchun", city_served.url, organisation=CITY_AGENCY)
    assert totals(harvests.run("changchun")) == {"created": COUNT}
    Worker(province).run_until_idle()
    province_served = live_server(province)
    assert "吉林省公共数据开放平台" in requests.get(province_served.url, timeout=30).text
    there, here = packages(city_served), packages(province_served)
    assert set(here) == set(there)
    assert len(here) == COUNT
    for public_id, package in here.items():
        original = there[public_id]
        assert package["name"] == original["name"]
        assert package["title"] == original["title"]
        assert extra(package, "jl_region") == extra(original, "jl_region") == REGION
        assert [r["id"] for r in package["resources"]] == [r["id"] for r in original["resources"]]
        assert all(r["url"].startswith(city_served.url) for r in package["resources"])
        assert package["organization"]["name"] == CITY_AGENCY.lower()
    assert totals(harvests.run("changchun")) == {"unchanged": COUNT}
