"""The map of the search's area speaks in the projection of the drawing."""

from __future__ import annotations

import re
from math import cos, radians

import pytest

from tests.browser.live import ROOT
from themes import region_map


def test_the_area_map_has_the_projection_of_the_drawing() -> None:
    page = (ROOT / "themes/jilin/templates/parts/search/facets.html").read_text("utf-8")
    said = {name: float(value) for name, value in re.findall(r'data-([\w-]+)="([\d.]+)"', page)}
    assert (said["west"], said["north"]) == (region_map.WEST, region_map.NORTH)
    per_longitude = cos(radians(region_map.MIDDLE)) * region_map.UNIT
    assert said["per-longitude"] == pytest.approx(per_longitude, abs=1e-5)
    assert said["per-latitude"] == pytest.approx(region_map.UNIT, abs=1e-5)
    assert f'viewBox="0 0 {region_map.WIDTH} {region_map.HEIGHT}"' in page
