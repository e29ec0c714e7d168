"""Real files from outside the repository; extra, skipped where they are absent."""

from __future__ import annotations

from pathlib import Path

import pytest

DATA = Path(__file__).parents[4] / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no folder of real files")


def test_hospitals_in_gb2312(build):
    info = build(DATA / "cn-csv-hospitals-gb2312" / "hospital site.csv")
    assert (info.encoding, info.row_count) == ("gb18030", 126)
    types = {column.name: column.type.value for column in info.columns}
    assert [types[name] for name in ("编号", "邮编", "电话", "X")] == ["text"] * 3 + ["number"]


def test_universities_with_titles_and_headings(build):
    info = build(DATA / "cn-xls-university-list-2017" / "data" / "全国普通高等学校名单.xls")
    assert info.row_count == 2631
    assert info.note_counts == {"title": 2, "group": 31}
    assert info.column("xu_hao").maximum == "2631"
    assert info.column("xue_xiao_biao_shi_ma").type == "text"


def test_divisions_stay_text(build):
    info = build(DATA / "cn-divisions-modood" / "dist" / "streets.csv")
    assert {column.type.value for column in info.columns} == {"text"}
    assert info.key_fields == ("code",)


def test_air_quality_without_a_header(build):
    info = build(DATA / "cn-air-quality-daily-jilin" / "data" / "长春.csv", has_header=False)
    assert info.row_count == 1157
    assert [column.type.value for column in info.columns[:6]] == [
        "text", "date", "integer", "text", "text", "number",
    ]  # fmt: skip


def test_every_national_table_is_read(build):
    paths = sorted((DATA / "cn-csv-national-statistics-a").rglob("*.csv"))
    for path in paths[::10]:
        info = build(path)
        assert info.row_count > 0
        assert info.columns[0].type == "text"


def test_big5_sights(build):
    info = build(DATA / "tabular-messytables-a" / "horror" / "characters.csv")
    assert info.encoding == "big5hkscs"
    assert info.column("jing_dian_bian_hao").type == "text"
