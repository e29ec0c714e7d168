"""Chart, map and profile of a table: links that can be shared, complete without script."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from flask.testing import FlaskClient

from portal.rules.entry_content import InformationItem
from tests.portal.web.conftest import Site
from tests.portal.web.markup import links

PLACES = "站点名称,区划代码,经度(GCJ-02),纬度,日客流量,开通日期\n" + "".join(
    f"第{n}站,2201{n % 4 + 2:02d},125.{n:02d},43.{n:02d},{n},2025-{n % 12 + 1:02d}-01\n"
    for n in range(1, 41)
)


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture
def slug(site: Site) -> str:
    return site.opened(PLACES.encode(), "站点.csv")


def test_views_keep_filters_and_are_links(visitor: FlaskClient, slug: str) -> None:
    page = visitor.get(f"/dataset/{slug}?tq=第1&view=chart&group=qu_hua_dai_ma").text
    views = [link.href for link in links(page) if "view=" in link.href and "tq=" in link.href]
    assert {"view=map", "view=profile"} <= {
        part for href in views for part in href.split("#")[0].split("&")
    }
    assert all("group=qu_hua_dai_ma" in href for href in views)


def test_groups_are_a_table_and_a_chart(visitor: FlaskClient, slug: str) -> None:
    page = visitor.get(
        f"/dataset/{slug}?view=chart&group=qu_hua_dai_ma&fn=sum&of=daily_passengers&chart=pie"
    ).text
    assert 'data-view="pie"' in page
    assert "按区划代码统计日客流量的合计" in page
    assert "220102 220 10" in plain(page)


def test_months_are_drawn_as_a_line(visitor: FlaskClient, slug: str) -> None:
    page = visitor.get(f"/dataset/{slug}?view=chart&group=kai_tong_ri_qi").text
    assert 'data-view="line"' in page
    assert "2025-12 3" in plain(page)


def test_groups_are_handed_out_as_csv(site: Site, visitor: FlaskClient, slug: str) -> None:
    file = site.files(slug)[0]
    answer = visitor.get(
        f"/dataset/{slug}/resource/{file.public_id}/groups.csv?group=qu_hua_dai_ma&tq=第1"
    )
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[0][0] == "区划代码"
    assert sum(int(row[2]) for row in rows[1:]) == 11
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_places_are_converted_and_the_system_is_named(
    site: Site, visitor: FlaskClient, slug: str
) -> None:
    page = visitor.get(f"/dataset/{slug}?view=map").text
    assert "坐标系：GCJ-02" in page
    file = site.files(slug)[0]
    body = visitor.get(f"/dataset/{slug}/resource/{file.public_id}/places.json?tq=第3站").json
    ((longitude, latitude, name),) = body["points"]
    assert (body["total"], body["system"], name) == (1, "gcj02", "第3站")
    assert 0.003 < 125.03 - longitude < 0.01
    assert 0.0005 < 43.03 - latitude < 0.005


def test_region_codes_make_a_map_of_cities(site: Site, visitor: FlaskClient) -> None:
    rows = "区划代码,户数\n" + "".join(f"22{n % 8 + 1:02d}02,{n}\n" for n in range(1, 41))
    page = visitor.get(f"/dataset/{site.opened(rows.encode())}?view=map&fn=sum").text
    assert 'data-view="regions"' in page
    assert "长春市" in plain(page)


def test_shapes_come_as_geojson(site: Site, visitor: FlaskClient) -> None:
    shape = {"type": "Polygon", "coordinates": [[[125, 43], [126, 43], [125, 44], [125, 43]]]}
    features = [{"type": "Feature", "properties": {"名称": "甲区"}, "geometry": shape}]
    data = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    slug = site.opened(data, "区域.geojson")
    file = site.files(slug)[0]
    body = visitor.get(f"/dataset/{slug}/resource/{file.public_id}/places.json").json
    assert body["shapes"]["features"][0]["properties"]["name"] == "甲区"
    assert 'data-view="shapes"' in visitor.get(f"/dataset/{slug}?view=map").text


def test_the_profile_tells_blanks_extremes_and_the_spread(visitor: FlaskClient, slug: str) -> None:
    page = plain(visitor.get(f"/dataset/{slug}?view=profile").text)
    assert "不同值 4" in page
    assert "最大 40" in page
    assert "分布" in page


def test_a_faulty_grouping_is_explained(visitor: FlaskClient, slug: str) -> None:
    page = visitor.get(f"/dataset/{slug}?view=chart&group=nowhere").text
    assert "没有名为“nowhere”的列" in page


def test_a_closed_column_is_in_no_view(site: Site, visitor: FlaskClient) -> None:
    items = (
        InformationItem(1, "站点名称", "stop_name", "string", 100),
        InformationItem(2, "日客流量", "daily_passengers", "integer", open=False),
    )
    slug = site.opened(PLACES.encode(), "站点.csv", items=items)
    page = visitor.get(f"/dataset/{slug}?view=profile").text
    assert 'id="profile-1"' in page
    assert "日客流量" not in page.split('class="profile"')[1].split("</div>")[0]
    page = visitor.get(f"/dataset/{slug}?view=chart&group=daily_passengers").text
    assert "没有名为“daily_passengers”的列" in page


def test_how_the_file_was_read_is_told_with_every_odd_row(site: Site, visitor: FlaskClient) -> None:
    rows = "2025年站点\n" + PLACES + "注：数据来自示例,,,,,\n"
    page = plain(visitor.get(f"/dataset/{site.opened(rows.encode('gb18030'))}").text)
    assert "原始文件编码：GB18030" in page
    assert "原始文件中有 2 行没有计入表格" in page
    assert "43 表后的注释或来源说明" in page
    assert "文件与信息项有" in page  # 站点编码 is an item without a column
