"""Croissant, validated and read by MLCommons' own library."""

from __future__ import annotations

import mlcroissant
from flask.testing import FlaskClient

from portal.rules.entry_content import InformationItem
from tests.portal.web.conftest import Site


def test_a_table_is_described_so_that_the_library_knows_its_fields(
    site: Site, visitor: FlaskClient
) -> None:
    slug = site.opened()
    response = visitor.get(f"/dataset/{slug}.croissant.json")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    found = mlcroissant.Dataset(jsonld=response.get_json())
    (file,) = found.metadata.distribution
    assert file.content_url.endswith(".csv")
    assert len(file.sha256) == 64
    (records,) = found.metadata.record_sets
    kinds = {field.description: field.data_types for field in records.fields}
    assert list(kinds) == ["站点编码", "站点名称", "日客流量", "启用日期"]
    assert [str(kind[0]).rpartition("/")[2] for kind in kinds.values()] == [
        "Text", "Text", "Integer", "Date",
    ]  # fmt: skip


def test_only_what_everybody_may_have_whole(site: Site, visitor: FlaskClient) -> None:
    assert visitor.get(f"/dataset/{site.conditional()}.croissant.json").status_code == 404
    items = (
        InformationItem(1, "站点编码", "stop_code", "string", 20, primary_key=True, nullable=False),
        InformationItem(2, "站点名称", "stop_name", "string", 100, open=False),
    )
    assert visitor.get(f"/dataset/{site.opened(items=items)}.croissant.json").status_code == 404
    assert visitor.get("/dataset/nobody.croissant.json").status_code == 404
    slug = site.opened()
    site.retire(slug, "停用")
    assert visitor.get(f"/dataset/{slug}.croissant.json").status_code == 410
