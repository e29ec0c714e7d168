"""Where data is about, as a box."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.codes import code_list, region_and_ancestors
from portal.services.areas import area_of, box_of_geometry, box_of_region, region_boxes
from portal.services.content import parse_content
from search.box import Box


def test_every_region_has_a_box_inside_that_of_its_city_and_province() -> None:
    for region in code_list("regions"):
        own = box_of_region(region.code)
        assert own is not None, region.name
        for above in region_and_ancestors(region.code):
            outer = box_of_region(above)
            assert outer is not None
            assert outer.west <= own.west <= own.east <= outer.east, region.name
            assert outer.south <= own.south <= own.north <= outer.north, region.name


def test_a_zone_without_shape_has_the_box_above() -> None:
    assert box_of_region("22CX00") == region_boxes()["220100"]
    assert box_of_region("110000") is None


def test_changchun_lies_where_it_lies() -> None:
    box = box_of_region("220104")
    assert box is not None
    assert box.west < 125.28 < box.east
    assert box.south < 43.83 < box.north


@pytest.mark.parametrize(
    ("value", "box"),
    [
        ({"type": "Point", "coordinates": [125, 43.5]}, Box(125, 43.5, 125, 43.5)),
        ('{"type":"Polygon","coordinates":[[[1,2],[3,2],[3,5],[1,2]]]}', Box(1, 2, 3, 5)),
        ({"type": "MultiPoint", "coordinates": [[1, 2, 9], [0, 4]]}, Box(0, 2, 1, 4)),
        ({"coordinates": [500, 2]}, None),
        ({"coordinates": []}, None),
        ({"coordinates": ["a", "b"]}, None),
        ({"coordinates": [[[[[[[[[[1, 2]]]]]]]]]]}, None),
        ({"type": "Point"}, None),
        ("[", None),
        ("吉林", None),
        (None, None),
    ],
)
def test_the_box_around_a_geometry(value: object, box: Box | None) -> None:
    assert box_of_geometry(value) == box


@given(st.recursive(st.none() | st.floats() | st.text(), st.lists, max_leaves=20))
def test_no_geometry_breaks_it(coordinates: object) -> None:
    found = box_of_geometry({"coordinates": coordinates})
    if found is not None:
        assert -180 <= found.west <= found.east <= 180
        assert -90 <= found.south <= found.north <= 90


def test_a_foreign_record_says_itself_where_it_is_about() -> None:
    content = parse_content({"title": "题", "region": "220100"})
    assert area_of(content, "220100") == region_boxes()["220100"]
    spatial = {"key": "spatial", "value": '{"type":"Point","coordinates":[126,44]}'}
    foreign = replace(content, foreign={"extras": [{"key": "x", "value": "1"}, spatial]})
    assert area_of(foreign, "220100") == Box(126, 44, 126, 44)
    broken = replace(content, foreign={"extras": [{"key": "spatial", "value": "Jilin"}]})
    assert area_of(broken, "220100") == region_boxes()["220100"]
