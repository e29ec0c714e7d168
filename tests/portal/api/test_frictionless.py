"""frictionless' CKAN portal as a client: a data package is published, found and read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from frictionless import Catalog, Package, Resource
from frictionless.portals import CkanControl

from portal.platform import Platform
from tests.live import LiveServer
from tests.portal.api.conftest import World

Start = Callable[[Platform], LiveServer]
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])
ROWS = "id,name\n001084,人民广场\n001085,桂林路\n"


def test_a_data_package_goes_there_and_back(
    world: World, live_server: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stops.csv").write_text(ROWS, "utf-8")
    url = live_server(world.platform).url
    package = Package(
        name="frictionless-stops",
        title="公交站点数据包",
        resources=[Resource(path="stops.csv", name="stops")],
    )
    control = CkanControl(
        baseurl=url,
        dataset="frictionless-stops",
        apikey=world.admin.token,
        organization_name="jl-tra",
    )
    done = package.publish(control=control)
    assert done.url == f"{url}/dataset/frictionless-stops"
    world.index()
    shown = world.admin.result("package_show", id="frictionless-stops")
    assert {one["name"] for one in shown["resources"]} >= {"stops", "datapackage"}
    catalog = Catalog(control=CkanControl(baseurl=url, organization_name="jl-tra"))
    assert [one.package.title for one in catalog.datasets] == ["公交站点数据包"]
