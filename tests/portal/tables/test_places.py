"""Where things are: which columns say it, and coordinates converted for a map."""

from __future__ import annotations

import json

import pytest

from portal.tables.coordinates import system_in_names, to_wgs84
from portal.tables.places import feature_collection, find_places, label_column, point_list


@pytest.mark.parametrize(
    ("text", "kind", "names"),
    [
        ("名称,经度,纬度\n甲,125.3,43.8\n乙,0,0\n", "points", ("经度", "纬度")),
        ("name,lon,lat\na,125.3,43.8\nb,126.1,44.0\n", "points", ("lon", "lat")),
        ("站,busstop_Longitude,busstop_Latitude\n甲,102.1,25.3\n", "points",
         ("busstop_Longitude", "busstop_Latitude")),
        ("县（市、区）代码,数\n220102,5\n220103,6\n220202,7\n", "regions", ("县（市、区）代码",)),
        ("county_code,n\n220102,5\n220103,6\n222401,7\n", "regions", ("county_code",)),
        ("county_code,n\n110102,5\n110103,6\n110101,7\n", None, ()),
        ("名称,x,y\n甲,1,2\n乙,3,4\n", None, ()),
    ],
)  # fmt: skip
def test_the_columns_of_places_are_found(build, text, kind, names):
    found = find_places(build(text))
    assert (found.kind if found else None) == kind
    assert tuple(column.name for column in found.columns) == names if found else not names


@pytest.mark.parametrize(
    ("names", "system"),
    [(["经度(GCJ-02)"], "gcj02"), (["lng_bd09"], "bd09"), (["WGS84经度"], "wgs84"),
     (["CGCS2000_X"], "cgcs2000"), (["经度"], ""), (["百度经度"], "bd09")],
)  # fmt: skip
def test_a_column_name_may_name_the_system(names, system):
    assert system_in_names(names) == system


def test_conversion_undoes_the_shift():
    # Known pair of the common formula: Tian'anmen in WGS 84 and GCJ-02, good to a metre.
    longitude, latitude = to_wgs84(116.397428, 39.90923, "gcj02")
    assert longitude == pytest.approx(116.391186, abs=2e-5)
    assert latitude == pytest.approx(39.907825, abs=2e-5)
    assert to_wgs84(116.4, 39.9, "cgcs2000") == (116.4, 39.9)
    assert to_wgs84(2.35, 48.85, "gcj02") == (2.35, 48.85)  # not in China: never shifted


def test_points_and_shapes_are_made_for_the_map(build):
    info = build("名称,经度,纬度\n甲,125.3,43.8\n乙,,\n")
    places = find_places(info)
    rows = [
        {"ming_cheng": "甲", "jing_du": 125.3, "wei_du": 43.8},
        {"ming_cheng": "乙", "jing_du": None, "wei_du": None},
    ]
    assert label_column(info, places) == "ming_cheng"
    assert point_list(rows, places, "", "ming_cheng") == [[125.3, 43.8, "甲"]]


def test_broken_geometry_is_left_out(build):
    text = json.dumps({"type": "Polygon", "coordinates": [[[125, 43], [126, 43], [125, 44]]]})
    info = build('名称,geometry\n甲,"' + text.replace('"', '""') + '"\n乙,"{""type"":1"\n')
    places = find_places(info)
    rows = [{"ming_cheng": "甲", "geometry": text}, {"ming_cheng": "乙", "geometry": '{"type":1'}]
    found = feature_collection(rows, places, "wgs84", "ming_cheng")
    assert [one["properties"]["name"] for one in found["features"]] == ["甲"]
