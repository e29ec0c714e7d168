"""Lists without a header row: refused with what to do, mapped by position, and held to that."""

from __future__ import annotations

import pytest

from harvesters.open_list.column_mapping import ColumnMapping, HeaderChanged, column_name
from harvesters.open_list.faults import NoHeader
from harvesters.open_list.reader import read_open_list, read_sample
from harvesters.record import HarvestedRecord
from portal.codes import all_code_names

ROWS = [
    "公交站点位置,吉林省交通运输厅,每日,无条件开放,https://data.example.cn/1.csv",
    "出租汽车企业名录,吉林省交通运输厅,每月,有条件开放,https://data.example.cn/2.csv",
    "道路客运站名录,吉林省交通运输厅,每年,无条件开放,https://data.example.cn/3.csv",
]
HEADER = "数据集名称,提供单位,更新周期,开放类型,文件地址"
FIELDS = ("title", "provider_name", "update_frequency", "open_type", "file_urls")
MAPPING = ColumnMapping(
    tuple(column_name(n) for n in range(1, 6)),
    {column_name(n): field for n, field in enumerate(FIELDS, 1)},
    first_line=1,
)


def data(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def read(
    content: bytes, columns: ColumnMapping | None = None, *remembered: ColumnMapping
) -> list[HarvestedRecord]:
    found = read_open_list(content, "清单.csv", all_code_names(), columns, remembered=remembered)
    assert all(isinstance(record, HarvestedRecord) for record in found), found
    return found  # type: ignore[return-value]


def test_without_a_mapping_it_is_refused_with_what_to_do() -> None:
    with pytest.raises(NoHeader, match="没有表头，按位置对应"):
        read(data(*ROWS))


def test_it_is_read_by_position_and_every_line_counts() -> None:
    records = read(data(*ROWS), MAPPING)
    assert [record.place for record in records] == ["第 1 行", "第 2 行", "第 3 行"]
    assert records[1].fields["title"] == "出租汽车企业名录"
    assert records[1].fields["open_type"] == "conditional"
    assert records[1].files[0].url == "https://data.example.cn/2.csv"


def test_lines_before_the_data_are_not_read() -> None:
    later = ColumnMapping(MAPPING.header, MAPPING.fields, first_line=3)
    records = read(data("二〇二六年清单,,,,", ",,,,", *ROWS), later)
    assert [record.place for record in records] == ["第 3 行", "第 4 行", "第 5 行"]


def test_another_number_of_columns_stops_the_reading() -> None:
    with pytest.raises(HeaderChanged, match="5 列，而表格现在有 6 列") as told:
        read(data(*(f"{number},{row}" for number, row in enumerate(ROWS))), MAPPING)
    assert told.value.sample.headless


def test_a_header_that_appeared_stops_the_reading() -> None:
    with pytest.raises(HeaderChanged, match="第 1 行现在是表头") as told:
        read(data(HEADER, *ROWS), MAPPING)
    assert not told.value.sample.headless


def test_a_remembered_mapping_by_position_gives_way_to_a_header() -> None:
    wrong = ColumnMapping(MAPPING.header, {**MAPPING.fields, "第 1 列": "abstract"}, 1)
    assert read(data(HEADER, *ROWS), None, wrong)[0].fields["title"] == "公交站点位置"
    assert read(data(*ROWS), None, MAPPING)[0].fields["title"] == "公交站点位置"


def test_a_remembered_mapping_by_headings_comes_before_the_vocabulary() -> None:
    own = ColumnMapping(("数据集名称", "备注"), {"数据集名称": "abstract", "备注": "title"})
    (record,) = read(data("数据集名称,备注", "说明文字,公交站点"), None, own)
    assert record.fields["title"] == "公交站点"
    (other,) = read(data("数据集名称,更新周期", "公交线路,每月"), None, own)
    assert other.fields["title"] == "公交线路"


def test_what_the_columns_hold_is_guessed_from_their_cells() -> None:
    sample = read_sample(data(*ROWS), "清单.csv", codes=all_code_names())
    assert sample.headless
    assert sample.line == 1
    assert sample.guess == {column_name(n): field for n, field in enumerate(FIELDS, 1)}


def test_a_known_header_is_never_taken_for_data() -> None:
    sample = read_sample(data(HEADER, *ROWS), "清单.csv", codes=all_code_names())
    assert (sample.headless, sample.line) == (False, 1)
    asked = read_sample(data(HEADER, *ROWS), "x.csv", line=2, headless=True, codes={})
    assert (asked.headless, asked.line) == (True, 2)
